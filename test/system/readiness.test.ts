/** What load balancers are told while PostgreSQL is a standby, read-only or busy, and what asking costs. */
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { inParallel, until } from "./load.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";

const clients = new WeakMap<ServerProcess, Client<typeof Health>>();

function healthOf(server: ServerProcess): Client<typeof Health> {
  const client = clients.get(server) ?? createClient(Health, createGrpcTransport({ baseUrl: server.url }));
  clients.set(server, client);
  return client;
}

/** What `/readyz` says, and whether gRPC's health check says that it serves. */
async function readiness(server: ServerProcess): Promise<readonly unknown[]> {
  const response = await fetch(`${server.url}/readyz`);
  const page: { readonly status: string } = JSON.parse(await response.text());
  const { status } = await healthOf(server).check({ service: "byond.v1.VerifyService" });
  return [response.status, page.status, status === Status.SERVING];
}

const becomes = (server: ServerProcess, expected: readonly unknown[]) =>
  expect.poll(() => readiness(server), { timeout: 20_000, interval: 100 }).toEqual(expected);

test("a server is not ready while PostgreSQL is a standby, and serves again as soon as it is promoted", {
  timeout: 90_000,
}, async () => {
  await using postgres = await StoppablePostgres.start();
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  const key = await server.mintKey({ mode: "test" });
  const start = async () => {
    const body = { channel: "email", recipient: "somebody@example.com" };
    return (await server.rest("POST", "/verify/start", { key, body })).status;
  };
  expect(await readiness(server)).toEqual([200, "ok", true]);
  expect(await start()).toBe(201);

  await postgres.stop();
  await becomes(server, [503, "unavailable", false]);
  await postgres.startAgainAsStandby();
  await becomes(server, [503, "read_only", false]);
  expect(await start()).toBe(503);
  await postgres.promote();
  await becomes(server, [200, "ok", true]);
  expect(await start()).toBe(201);
});

test("a server is not ready if new connections are read-only, and closes read-only connections", {
  timeout: 60_000,
}, async () => {
  await using postgres = await StoppablePostgres.start();
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  const key = await server.mintKey({ mode: "test" });
  const start = async () => {
    const body = { channel: "email", recipient: "somebody@example.com" };
    return (await server.rest("POST", "/verify/start", { key, body })).status;
  };
  await postgres.query("ALTER DATABASE byond SET default_transaction_read_only = on");
  const disconnectAll = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = 'byond' AND pid <> pg_backend_pid()`;
  await postgres.query(disconnectAll);
  expect(await start()).toBe(503);
  await becomes(server, [503, "read_only", false]);

  const elsewhere = new URL(postgres.url);
  elsewhere.pathname = "/postgres";
  await postgres.query("ALTER DATABASE byond RESET default_transaction_read_only", [], elsewhere.href);
  expect(await start()).toBe(201);
  // Its own connection is not kept for longer than ten seconds.
  await becomes(server, [200, "ok", true]);
});

test("a server is not ready on a database whose tables are gone", { timeout: 60_000 }, async () => {
  await using postgres = await StoppablePostgres.start();
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  await becomes(server, [200, "ok", true]);
  await postgres.query("ALTER TABLE server RENAME TO elsewhere");
  await becomes(server, [503, "unavailable", false]);
  await postgres.query("ALTER TABLE elsewhere RENAME TO server");
  await becomes(server, [200, "ok", true]);
});

test("a lock on a table, such as a migration's, does not make a server unready", { timeout: 60_000 }, async () => {
  await using postgres = await StoppablePostgres.start();
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  await becomes(server, [200, "ok", true]);
  const migration = new pg.Client({ connectionString: postgres.url });
  await migration.connect();
  await migration.query("BEGIN");
  await migration.query("LOCK TABLE server");
  const askedAt = performance.now();
  // Longer than it is patient.
  while (performance.now() - askedAt < 4_000) {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  }
  await migration.end();
});

test("calls that fill the pool do not make a server unready: the health check has a connection of its own, and reports busy", {
  timeout: 60_000,
}, async () => {
  const database = await createMigratedDatabase();
  await using resources = new AsyncDisposableStack();
  resources.defer(() => database.drop());
  const server = resources.use(await ServerProcess.start({ databaseUrl: database.url }));
  const key = await server.mintKey();
  expect(await readiness(server)).toEqual([200, "ok", true]);
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  resources.defer(() => blocker.end());
  await blocker.query("BEGIN; LOCK TABLE verification");

  const calls = Array.from({ length: 15 }, () => server.rest("GET", "/verifications", { key }));
  const askedAtMs = performance.now();
  await becomes(server, [200, "busy", true]);
  expect(performance.now() - askedAtMs).toBeLessThan(3_000);
  await blocker.query("ROLLBACK");
  expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(await readiness(server)).toEqual([200, "ok", true]);
});

test("the health check queries the database at most once a second, however often and by whatever protocol it is called", {
  timeout: 60_000,
}, async () => {
  await using postgres = await StoppablePostgres.start({ log_statement: "all" });
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  const questions = async () => (await postgres.readLog()).split("current_setting('transaction_read_only')").length - 1;
  await readiness(server);
  const before = await questions();
  const fromMs = performance.now();
  let asked = 0;
  await inParallel(16, async () => {
    while (performance.now() - fromMs < 3_500) {
      expect(await readiness(server)).toEqual([200, "ok", true]);
      asked += 2;
    }
  });
  const seconds = (performance.now() - fromMs) / 1_000;
  await until("the log has it", 10_000, async () => (await questions()) > before);
  const counted = (await questions()) - before;
  console.log(`health: asked ${asked} times in ${seconds.toFixed(1)} s, the database ${counted} times`);
  expect(asked).toBeGreaterThan(100);
  expect(counted).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
});
