/** What became of a COMMIT whose answer was lost, where another PostgreSQL answers than the one that it was sent to, or the same one after a crash. */
import pg from "pg";
import { expect, test } from "vitest";
import { CommitOutcomes } from "../../src/database/commit-outcomes.ts";
import { findIncarnation, identityIn, transactionIdentity } from "../../src/database/transaction-identity.ts";
import { connectionTo } from "../support/database-address.ts";
import { ServerProcess } from "../support/processes.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";

/** Commits a transaction, and says what it is found by. */
async function commitOne(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const incarnation = await findIncarnation(client);
    const identity = identityIn(await client.query(`BEGIN; ${transactionIdentity(incarnation)}`));
    await client.query("COMMIT");
    return { incarnation, identity };
  } finally {
    await client.end();
  }
}

async function lookUp(url: string, { incarnation, identity }: Awaited<ReturnType<typeof commitOne>>): Promise<string> {
  const outcomes = new CommitOutcomes(await connectionTo(url), incarnation);
  return outcomes.requireCommitted(identity, new Error("lost")).then(
    () => "committed",
    ({ code }) => code,
  );
}

test("a new primary that has given its id to another transaction is not believed", { timeout: 120_000 }, async () => {
  await using postgres = await StoppablePostgres.start();
  const migrating = await ServerProcess.start({ databaseUrl: postgres.url });
  await migrating[Symbol.asyncDispose]();
  await postgres.stop();
  await using standby = await postgres.copyAsStandby();
  await postgres.startAgain();
  await using proxy = await CuttingProxy.open(postgres.url);
  await using server = await ServerProcess.start({ databaseUrl: proxy.url });
  const { session } = await server.signUp();

  await standby.promote();
  const [{ next = 0 } = {}] = await postgres.query<{ next: number }>(
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::integer AS next",
  );
  await standby.query(
    `DO $$ BEGIN WHILE pg_current_xact_id()::text::integer < ${next + 1_000} LOOP COMMIT; END LOOP; END $$`,
  );
  proxy.lead(standby.url);
  proxy.cutNext({ text: "COMMIT", transactionWith: "key of the old primary", when: "after" });
  const { status, body } = await server.rest("POST", "/api-keys", {
    session,
    body: { name: "key of the old primary" },
  });
  expect(proxy.cuts).toBe(1);
  expect(await standby.query("SELECT FROM api_key")).toEqual([]);
  expect([status, body.error?.code]).toEqual([504, "outcome_unknown"]);
});

test("after a restart the outcome is known, and after a crash or a failover it is not", {
  timeout: 120_000,
}, async () => {
  await using postgres = await StoppablePostgres.start();
  const committed = await commitOne(postgres.url);
  await postgres.stop();
  await postgres.startAgain();
  expect(await lookUp(postgres.url, committed)).toBe("committed");
  await postgres.crash();
  await postgres.startAgain();
  expect(await lookUp(postgres.url, committed)).toBe("outcome_unknown");

  const beforeFailover = await commitOne(postgres.url);
  await postgres.stop();
  await postgres.startAgainAsStandby();
  await postgres.promote();
  expect(await lookUp(postgres.url, beforeFailover)).toBe("outcome_unknown");
  expect(await lookUp(postgres.url, await commitOne(postgres.url))).toBe("committed");
});

test("a transaction that a crash lost is not taken for one that was given its id later", {
  timeout: 120_000,
}, async () => {
  await using postgres = await StoppablePostgres.start();
  const client = new pg.Client({ connectionString: postgres.url });
  client.on("error", () => undefined);
  await client.connect();
  const incarnation = await findIncarnation(client);
  // It has an id, of which nothing is on the disk.
  const identity = identityIn(await client.query(`BEGIN; ${transactionIdentity(incarnation)}`));
  await postgres.crash();
  await postgres.startAgain();
  await postgres.query(
    `DO $$ BEGIN WHILE pg_current_xact_id() <= '${identity.id}'::xid8 LOOP COMMIT; END LOOP; END $$`,
  );
  const [row] = await postgres.query<{ status: string }>(`SELECT pg_xact_status('${identity.id}'::xid8) AS status`);
  expect(row?.status).toBe("committed");
  expect(await lookUp(postgres.url, { incarnation, identity })).toBe("outcome_unknown");
});

test("a database that does not tell its timeline is asked all the same", async () => {
  await using postgres = await StoppablePostgres.start();
  await postgres.query("REVOKE EXECUTE ON FUNCTION pg_walfile_name FROM PUBLIC");
  await postgres.query("CREATE ROLE serving LOGIN PASSWORD 'hunter2'");
  const url = new URL(postgres.url);
  url.username = "serving";
  url.password = "hunter2";
  const committed = await commitOne(url.href);
  expect(committed.identity.incarnation).toMatch(/^\d+\.\d+$/);
  expect(await lookUp(url.href, committed)).toBe("committed");
});
