import pg from "pg";
import { expect, onTestFinished, test, vi } from "vitest";
import { createId, isId } from "../../src/crypto/ids.ts";
import { createMigratedDatabase } from "../support/app.ts";

test("the database makes ids as the server does: they begin with the same milliseconds", async () => {
  const database = await createMigratedDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await database.drop();
  });
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  for (const time of ["1970-01-01T00:00:00.061Z", "2026-11-26T11:22:33.444Z", "2999-12-31T23:59:59.999Z"]) {
    vi.setSystemTime(time);
    const { rows } = await client.query("SELECT 'evt_' || id_time($1) || id_random() AS id", [time]);
    const [{ id }] = rows;
    expect(isId("evt", id)).toBe(true);
    expect(id.slice(0, 12)).toBe(createId("evt").slice(0, 12));
  }
});
