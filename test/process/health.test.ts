/** What tells an orchestrator how the server is, and what only its own machine may read. */
import { request as httpRequest } from "node:http";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A request with headers that `fetch` would not send. */
function get(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(`${app.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end();
  });
}

test("/healthz says that the process runs", async () => {
  const { status, headers, text } = await get("/healthz");
  expect({ status, body: JSON.parse(text) }).toEqual({ status: 200, body: { status: "ok" } });
  expect(headers["content-type"]).toBe("application/json");
  expect(headers["cache-control"]).toContain("no-store");
});

test("/readyz is 503 while the database is away, and 200 again once it is back; /healthz is 200 throughout", async () => {
  await using server = await startTestApp();
  const name = new URL(server.databaseUrl).pathname.slice(1);
  const administrator = new pg.Client({ connectionString: inject("postgresUrl") });
  await administrator.connect();
  const statuses = async () => {
    const [ready, healthy] = await Promise.all([fetch(`${server.url}/readyz`), fetch(`${server.url}/healthz`)]);
    return [ready.status, await ready.json(), healthy.status];
  };
  expect(await statuses()).toEqual([200, { status: "ok" }, 200]);

  await administrator.query(`ALTER DATABASE "${name}" WITH ALLOW_CONNECTIONS false`);
  await administrator.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", [name]);
  expect(await statuses()).toEqual([503, { status: "unavailable" }, 200]);

  await administrator.query(`ALTER DATABASE "${name}" WITH ALLOW_CONNECTIONS true`);
  expect(await statuses()).toEqual([200, { status: "ok" }, 200]);
  await administrator.end();
});

describe("the local inbox", () => {
  const port = () => new URL(app.url).port;

  test.each([
    ["127.0.0.1", () => `127.0.0.1:${port()}`],
    ["127.0.0.1 without a port", () => "127.0.0.1"],
    ["another loopback address", () => "127.9.9.9"],
    ["localhost", () => `localhost:${port()}`],
    ["LOCALHOST", () => "LOCALHOST"],
    ["::1", () => `[::1]:${port()}`],
  ])("is shown to a request for %s", async (_what, host) => {
    const { status, headers, text } = await get("/dev/inbox", { Host: host() });
    expect(status).toBe(200);
    expect(Array.isArray(JSON.parse(text))).toBe(true);
    expect(headers["cache-control"]).toContain("no-store");
    // So that no page of another site can have it read by a browser.
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test.each([
    "verify.example.com",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8080",
    "192.168.1.10",
    "0.0.0.0",
    "10.0.0.1",
    "[::2]",
    "[::ffff:10.0.0.1]",
  ])("is an unknown path for a request for %s", async (host) => {
    const { status, text } = await get("/dev/inbox", { Host: host });
    expect(status).toBe(404);
    expect(JSON.parse(text).error.code).toBe("not_found");
  });

  test.each(["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"])(
    "is an unknown path for what came through a proxy: %s",
    async (name) => {
      expect((await get("/dev/inbox", { [name]: "127.0.0.1" })).status).toBe(404);
      expect((await get("/dev/inbox", { [name]: "" })).status).toBe(404);
    },
  );

  test("is not there with a database of others", async () => {
    await using server = await startTestApp({ localInbox: false });
    expect((await fetch(`${server.url}/dev/inbox`)).status).toBe(404);
  });

  test("has for each message exactly what is documented", async () => {
    const key = await app.mintKey({ mode: "test" });
    await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "inbox@example.com" } });
    const mail = await app.messageTo("inbox@example.com");
    expect(Object.keys(mail).sort()).toEqual(["channel", "created_at", "html", "id", "recipient", "subject", "text"]);
    expect(mail).toMatchObject({ channel: "email", recipient: "inbox@example.com" });
    expect(mail.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(mail.html).toContain("000000");
    await app.rest("POST", "/verify/start", { key, body: { channel: "whatsapp", recipient: "+6591234567" } });
    const short = await app.messageTo("+6591234567");
    expect(short).toMatchObject({ channel: "whatsapp", subject: null, html: null });
    expect(short.text).toContain("000000");
  });
});
