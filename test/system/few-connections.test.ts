/** A database that gives a server fewer connections than its pool may have. */
import pg from "pg";
import { expect, test } from "vitest";
import { startTestApp } from "../support/app.ts";
import { addressOf } from "../support/database-address.ts";
import { DatabaseRole } from "../support/database-role.ts";

test("a pool that gets fewer connections than it wants uses those it has", async () => {
  // Of a running server, one is for revocations and one for `/readyz`.
  await using role = await DatabaseRole.create("CONNECTION LIMIT 5 IN ROLE pg_read_all_data, pg_write_all_data");
  await using owner = await startTestApp();
  const { session } = await owner.signUp();
  const address = addressOf(role.urlOf(owner.databaseUrl));
  await using limited = await owner.startAnother({ database: { kind: "external", address }, databasePoolSize: 10 });
  expect((await fetch(`${limited.url}/readyz`)).status).toBe(200);

  // Half of them write, the others go through the ORM's entities.
  const calls = Array.from({ length: 60 }, (_, index) =>
    index % 2 === 0
      ? limited.rest("POST", "/api-keys", { session, body: { name: `key ${index}`, mode: "test" } })
      : limited.rest("GET", "/api-keys", { session }),
  );
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(statuses).toEqual(statuses.map((_, index) => (index % 2 === 0 ? 201 : 200)));
  const said = limited.logLines.filter((line) => line.includes("database_connections_refused"));
  expect(said.length).toBeGreaterThan(0);
  expect(JSON.parse(said[0] ?? "")).toMatchObject({ level: "warn", wanted: 10, connections: expect.any(Number) });
  expect((await fetch(`${limited.url}/readyz`)).status).toBe(200);
});

test("a pool that has no connection answers 503, as when PostgreSQL is away", async () => {
  await using role = await DatabaseRole.create("IN ROLE pg_read_all_data, pg_write_all_data");
  await using owner = await startTestApp();
  const { session } = await owner.signUp();
  const address = addressOf(role.urlOf(owner.databaseUrl));
  await using limited = await owner.startAnother({ database: { kind: "external", address } });
  const administrator = new pg.Client({ connectionString: owner.databaseUrl });
  await administrator.connect();
  try {
    await administrator.query(`ALTER ROLE ${role.name} CONNECTION LIMIT 0`);
    await administrator.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", [
      role.name,
    ]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => limited.rest("GET", "/api-keys", { session })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
  } finally {
    await administrator.end();
  }
});

test("a pool of two connections is enough to start and to serve", async () => {
  await using server = await startTestApp({ databasePoolSize: 2 });
  const { session } = await server.signUp();
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      server.rest("POST", "/api-keys", { session, body: { name: `key ${index}`, mode: "test" } }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
});
