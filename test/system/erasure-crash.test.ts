/** A workspace that is deleted while servers are killed: `docs/guides/operations.md` says what remains of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { standardWorkspaceTables } from "../support/schema.ts";
import { until } from "./load.ts";
import { rowsOfTwoWorkspaces } from "./rows-of-two-workspaces.ts";

const password = "correct horse battery";
/** Of each table. A batch takes 500. */
const rowsOfEach = 1_600;
const gate = 29;

/** What every batch waits for, before it commits. */
const closeGate = `
  CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(${gate});
    RETURN NULL;
  END $$;
  CREATE TRIGGER gate AFTER DELETE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate();
  SELECT pg_advisory_lock(${gate})`;

test("of a deleted workspace nothing is left, and all of another one, though servers are killed amid the sweep", {
  timeout: 400_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const folder = await mkdtemp(join(tmpdir(), "byond-prices-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const prices = { currency: "EUR", digits: 2, messages: { email: { default: 1 } }, lookup: 1 };
  await writeFile(join(folder, "prices.json"), JSON.stringify(prices));
  const options = { databaseUrl: database.url, environment: { PRICES: join(folder, "prices.json") } };
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());
  const count = async (from: string, values: readonly unknown[] = []) =>
    Number((await client.query(`SELECT count(*) FROM ${from}`, [...values])).rows[0].count);
  const rowsOf = async (workspaceId: string) => {
    const { rows: tables } = await client.query(
      "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'workspace_id' ORDER BY 1",
    );
    const counts: [string, number][] = [];
    for (const { name } of tables) {
      counts.push([name, await count(`${name} WHERE workspace_id = $1`, [workspaceId])]);
    }
    return Object.fromEntries(counts.filter(([, number]) => number > 0));
  };

  const server = await ServerProcess.start(options);
  resources.use(server);
  const gone = await server.signUp();
  const other = await server.signUp();
  for (const { session, workspaceId } of [gone, other]) {
    await client.query("SELECT balance_top_up($1, 'payment', 100)", [workspaceId]);
    const { body: minted } = await server.rest("POST", "/api-keys", { session, body: { name: "a key" } });
    const cap = { amount: "0.50", period: "day" };
    expect((await server.rest("PUT", "/spend-caps/workspace", { session, body: cap })).status).toBe(200);
    const start = { channel: "email", recipient: "ada@example.com" };
    expect((await server.rest("POST", "/verify/start", { key: minted.key, body: start })).status).toBe(201);
    expect((await server.rest("GET", "/lookup?number=%2B6591234567", { key: minted.key })).status).toBe(200);
  }
  await client.query(rowsOfTwoWorkspaces([other.workspaceId, gone.workspaceId], 2 * rowsOfEach));
  const deleted = await server.rest("DELETE", "/workspace", { session: gone.session, body: { password } });
  expect(deleted.status).toBe(200);
  await until("all events have their positions", 60_000, async () => (await count("event_pending")) === 0);
  await server.stop();
  const ofOther = await rowsOf(other.workspaceId);
  const before = await rowsOf(gone.workspaceId);
  for (const table of [
    "wallet",
    "ledger_entry",
    "spend_reserve",
    "spend_period",
    "spend_cap",
    "usage_day",
    "verification_slot",
  ]) {
    expect([table, before[table]]).toEqual([table, expect.any(Number)]);
    expect(Object.keys(standardWorkspaceTables)).toContain(table);
  }
  await client.query("UPDATE workspace SET deactivated_at = deactivated_at - interval '10 minutes'");

  await client.query(closeGate);
  const held = "pg_locks WHERE locktype = 'advisory' AND objid = $1 AND pid <> pg_backend_pid()";
  const isAtGate = () =>
    until("a batch waits", 60_000, async () => (await count(`${held} AND NOT granted`, [gate])) > 0);
  const left = () => count("ledger_entry WHERE workspace_id = $1", [gone.workspaceId]);
  for (let kills = 1; kills <= 2; kills += 1) {
    const present = await left();
    await using sweeping = await ServerProcess.start({ ...options, program: "test/system/sweeping-server.ts" });
    await isAtGate();
    // One batch passes, and the next one is cut.
    await client.query(`SELECT pg_advisory_unlock(${gate}), pg_advisory_lock(${gate})`);
    await isAtGate();
    await sweeping.kill();
    await client.query(`SELECT pg_advisory_unlock(${gate})`);
    await until("the batch has ended", 60_000, async () => (await count(held, [gate])) === 0);
    await client.query(`SELECT pg_advisory_lock(${gate})`);
    expect(await left()).toBe(present - 500);
  }
  await client.query(`SELECT pg_advisory_unlock(${gate})`);
  await using last = await ServerProcess.start({ ...options, program: "test/system/sweeping-server.ts" });
  await until(
    "the workspace is gone",
    60_000,
    async () => (await count("workspace WHERE id = $1", [gone.workspaceId])) === 0,
  );
  await last.stop();
  expect(await rowsOf(gone.workspaceId)).toEqual({});
  // Nothing of these is removed because of its age.
  const kept = [
    "account",
    "api_key",
    "event",
    "ledger_entry",
    "message_template",
    "spend_cap",
    "suppression",
    "wallet",
  ];
  const ofOtherNow = await rowsOf(other.workspaceId);
  expect(kept.map((table) => [table, ofOtherNow[table]])).toEqual(kept.map((table) => [table, ofOther[table]]));
});
