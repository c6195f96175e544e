/** What tells an orchestrator how the server is. */
import pg from "pg";
import { expect, inject, test } from "vitest";
import { startTestApp, useTestApp } from "../support/app.ts";

const app = useTestApp();

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(`${app.url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("/healthz says that the process runs", async () => {
  const { status, headers, text } = await get("/healthz");
  expect({ status, body: JSON.parse(text) }).toEqual({ status: 200, body: { status: "ok" } });
  expect(headers.get("content-type")).toBe("application/json");
  expect(headers.get("cache-control")).toContain("no-store");
});

test("/readyz is 503 while the database is down and 200 when it is back; /healthz is always 200", async () => {
  await using server = await startTestApp();
  const name = new URL(server.databaseUrl).pathname.slice(1);
  const administrator = new pg.Client({ connectionString: inject("postgresUrl") });
  await administrator.connect();
  const statuses = async () => {
    const [ready, healthy] = await Promise.all([fetch(`${server.url}/readyz`), fetch(`${server.url}/healthz`)]);
    return [ready.status, await ready.json(), healthy.status];
  };
  // What was found out is told for a second.
  const becomes = (expected: unknown) => expect.poll(statuses, { timeout: 10_000 }).toEqual(expected);
  expect(await statuses()).toEqual([200, { status: "ok" }, 200]);

  await administrator.query(`ALTER DATABASE "${name}" WITH ALLOW_CONNECTIONS false`);
  await administrator.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", [name]);
  await becomes([503, { status: "unavailable" }, 200]);

  await administrator.query(`ALTER DATABASE "${name}" WITH ALLOW_CONNECTIONS true`);
  await becomes([200, { status: "ok" }, 200]);
  await administrator.end();
});
