import pg from "pg";
import { expect, test } from "vitest";
import { verificationSweep } from "../../../src/capabilities/verify/verification-sweep.ts";
import { Database } from "../../../src/database/database.ts";
import { throttleSweep } from "../../../src/database/throttle.ts";
import { startTestApp } from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { captureLog } from "../../support/log-capture.ts";
import { standardSchema } from "../../support/schema.ts";
import { sweepAll } from "../../support/sweep-all.ts";

test("a verification can be read until its retention ends; afterwards nothing of it is left", async () => {
  await using app = await startTestApp();
  const database = await Database.open({
    connection: await connectionTo(app.databaseUrl),
    logger: captureLog().logger,
    ...standardSchema,
  });
  const key = await app.mintKey();
  const start = (recipient: string) =>
    app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  const { verification_id: old } = (await start("old@example.com")).body;
  await app.messageTo("old@example.com");
  await app.time.advance({ seconds: 29 * 86_400 });
  await sweepAll(verificationSweep({ database }, 30));
  expect((await app.rest("GET", `/verify/${old}`, { key })).body.status).toBe("expired");
  const { verification_id: young } = (await start("young@example.com")).body;

  await app.time.advance({ seconds: 2 * 86_400 });
  await sweepAll(verificationSweep({ database }, 30));
  await sweepAll(throttleSweep({ database }));
  expect((await app.rest("GET", `/verify/${old}`, { key })).status).toBe(404);
  expect((await app.rest("GET", `/verify/${young}`, { key })).status).toBe(200);
  await database.close();

  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  for (const table of ["outbox", "delivery_attempt"]) {
    const { rows } = await client.query(`SELECT DISTINCT subject_id FROM ${table}`);
    expect(rows.map((row) => row.subject_id)).not.toContain(old);
  }
  const { rows } = await client.query("SELECT key FROM throttle");
  expect(rows).toEqual([]);
  await client.end();
});
