/** How long a server that starts waits for its turn, and for another one to be gone. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { Database } from "../../src/database/database.ts";
import { registerServer } from "../../src/process/register-server.ts";
import { explainFailure } from "../../src/process/start-failure.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";

const registrationLock = 7_269_341_952;

const resources = new AsyncDisposableStack();
let database: Database;
let other: pg.Client;
beforeAll(async () => {
  const { url, drop } = await createMigratedDatabase();
  resources.defer(drop);
  database = await Database.open({
    connection: await connectionTo(url),
    logger: captureLog().logger,
    ...standardSchema,
  });
  resources.defer(() => database.close());
  other = new pg.Client({ connectionString: url, application_name: "another server" });
  await other.connect();
  resources.defer(() => other.end());
});
afterAll(() => resources.disposeAsync());
beforeEach(async () => {
  await other.query("SELECT pg_advisory_unlock_all()");
  await other.query("TRUNCATE server");
});

/** Joins by a clock that stands still; `looked` resolves when it has tried once more from now on. */
function registering() {
  let nowMs = 0;
  let tries = 0;
  const clock: Clock = { now: () => new Date(), monotonicMs: () => nowMs };
  const { logger, lines } = captureLog();
  const watched: Pick<Database, "transaction" | "run"> = {
    run: (...args) => database.run(...args),
    async transaction(work) {
      try {
        return await database.transaction(work);
      } finally {
        tries += 1;
      }
    },
  };
  const keyring = createKeyring([randomBytes(32).toString("hex")]);
  const options = { database: watched, logger, keyring, sealed: [], clock, secretsAreIn: "BYOND_SECRET" };
  const outcome = registerServer(options, async () => "joined").catch((error: Error) => error);
  return {
    outcome,
    lines,
    advance: (ms: number) => {
      nowMs += ms;
    },
    /** Two: one may have been under way, and the clock is read after the try. */
    async looked() {
      const from = tries;
      await expect.poll(() => tries, { timeout: 10_000 }).toBeGreaterThanOrEqual(from + 2);
    },
  };
}

const addKilledServer = () =>
  other.query(
    `INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at, secret_ids)
     VALUES ('srv_killed', 600000, 1000000, pg_postmaster_start_time(), byond_now(), ARRAY['00000000'])`,
  );

test("waiting for the lock does not shorten the wait for a killed server to expire", async () => {
  await addKilledServer();
  await other.query("SELECT pg_advisory_lock($1)", [registrationLock]);
  const start = registering();
  await start.looked();
  start.advance(50_000);
  await start.looked();
  await other.query("SELECT pg_advisory_unlock($1)", [registrationLock]);
  await start.looked();
  start.advance(5_900);
  await start.looked();
  await other.query("DELETE FROM server");
  expect(await start.outcome).toBe("joined");
});

test("a server that disagrees with the others is refused after six seconds", async () => {
  await addKilledServer();
  const start = registering();
  await start.looked();
  start.advance(6_000);
  expect(await start.outcome).toMatchObject({
    name: "ConfigError",
    message: expect.stringContaining("BYOND_SECRET does not fit the server srv_killed"),
  });
});

test("a server that waits for the lock logs who holds it, and gives up after a minute", async () => {
  await other.query("SELECT pg_advisory_lock($1)", [registrationLock]);
  const start = registering();
  await start.looked();
  start.advance(5_000);
  await start.looked();
  expect(start.lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: "warn",
      event: "waiting_for_other_servers",
      waited_seconds: 5,
      held_by: { application_name: "another server" },
    },
  ]);
  start.advance(55_000);
  const error = await start.outcome;
  expect(error).toMatchObject({
    name: "RegistrationTimeout",
    message: expect.stringContaining("servers join one at a time"),
  });
  expect(explainFailure(error, undefined)).toMatch(/^Other servers were starting for 60 seconds/);
});
