/** Roles and databases have settings of their own, which every connection begins with. */
import pg from "pg";
import { expect, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";

async function setOnDatabase(app: TestApp, ...settings: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  const name = client.escapeIdentifier(new URL(app.databaseUrl).pathname.slice(1));
  for (const setting of settings) {
    await client.query(`ALTER DATABASE ${name} SET ${setting}`);
  }
  await client.end();
}

test("dates are read whatever the database's DateStyle", async () => {
  await using app = await startTestApp();
  await setOnDatabase(app, "datestyle = 'German, DMY'", "intervalstyle = 'iso_8601'", "extra_float_digits = -10");
  await using other = await app.startAnother();
  const key = await other.mintKey();
  const { status, body } = await other.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient: "ada@example.com" },
  });
  expect([status, new Date(body.expires_at).getTime()]).toEqual([201, expect.any(Number)]);
  expect((await other.rest("GET", `/verify/${body.verification_id}`, { key })).body.created_at).toMatch(/^\d{4}-/);
});

test("parallel calls succeed whatever the database's default isolation", async () => {
  await using app = await startTestApp();
  await setOnDatabase(app, "default_transaction_isolation = 'serializable'");
  await using other = await app.startAnother();
  const key = await other.mintKey();
  const starts = Array.from({ length: 30 }, (_, index) =>
    other.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: `user-${index}@example.com` } }),
  );
  const statuses = (await Promise.all(starts)).map((answer) => answer.status);
  expect(statuses).toEqual(starts.map(() => 201));
});
