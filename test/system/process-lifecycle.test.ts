/** How a server stops, and how it comes back: signals and sudden ends of real processes. */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { MainProcess, makeFolder } from "./main-process.ts";
import { SilentProxy } from "./silent-proxy.ts";

const secret = "0123456789abcdef0123456789abcdef";

interface Answer {
  readonly status: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly body: any;
}

/** A request on a connection of its own. */
function post(url: string, path: string, headers: Readonly<Record<string, string>>, body: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", agent: false, headers: { "Content-Type": "application/json", ...headers } };
    const call = httpRequest(`${url}/api/v1${path}`, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

/** Resolves when nobody accepts connections there any more. */
async function refusesConnections(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (;;) {
    const isRefused = await new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      socket.once("connect", () => {
        socket.destroy();
        resolve(false);
      });
      socket.once("error", () => resolve(true));
    });
    if (isRefused) {
      return;
    }
  }
}

describe("a server on an external database", () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let watcher: pg.Client;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    watcher = new pg.Client({ connectionString: database.url });
    await watcher.connect();
  });
  afterAll(async () => {
    await watcher.end();
    await database.drop();
  });

  const start = (environment: Record<string, string> = {}) =>
    new MainProcess({
      environment: { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", SIGN_UP: "open", ...environment },
    });

  async function makeKey(url: string, email: string): Promise<string> {
    const account = { email, password: "correct horse battery", name: "Acme" };
    const { body } = await post(url, "/auth/sign-up", {}, account);
    const headers = { Authorization: `Bearer ${body.access_token}` };
    return (await post(url, "/api-keys", headers, { name: "key", mode: "test" })).body.key;
  }

  /** A check that the server cannot finish, because somebody holds the row; resolves once it is waiting. */
  async function startHeldCheck(url: string, key: string) {
    const headers = { "X-API-Key": key };
    const recipient = `held-${key.slice(8, 14)}@example.com`;
    const started = await post(url, "/verify/start", headers, { channel: "email", recipient });
    const id = started.body.verification_id;
    const holder = new pg.Client({ connectionString: database.url });
    // The database of the test is dropped from under it, if the test fails.
    holder.on("error", () => undefined);
    await holder.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM verification WHERE id = $1 FOR UPDATE", [id]);
    const answer = post(url, "/verify/check", headers, { verification_id: id, code: "000000" });
    // Somebody else may wait for the answer, or nobody if there is none.
    answer.catch(() => undefined);
    for (;;) {
      const { rows } = await watcher.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      if (rows.length > 0) {
        break;
      }
    }
    return { id, answer, release: () => holder.end() };
  }

  test.each(["SIGTERM", "SIGINT"] as const)(
    "on %s it accepts nothing new, finishes what is in flight and exits 0",
    async (signal) => {
      await using server = start();
      const url = await server.url();
      const key = await makeKey(url, `${signal.toLowerCase()}@example.com`);
      const { id, answer, release } = await startHeldCheck(url, key);

      server.signal(signal);
      await server.wrote(/"event":"stopping"/);
      await refusesConnections(url);
      await release();
      expect(await answer).toEqual({ status: 200, body: { verification_id: id, status: "approved" } });
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(server.log.trim().split("\n").at(-1)).toContain('"event":"stopped"');
    },
  );

  test("an idle client does not delay the stop", async () => {
    await using server = start();
    const { hostname, port } = new URL(await server.url());
    const idle = connect(Number(port), hostname);
    await new Promise((resolve) => idle.once("connect", resolve));
    idle.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => idle.once("data", resolve));
    const before = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(8_000);
    idle.destroy();
  });

  test("an incomplete request gets nine seconds, and the whole stop ten", async () => {
    await using server = start();
    const { hostname, port } = new URL(await server.url());
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    // The request is under way once the server has answered with "100 Continue".
    const continued = new Promise((resolve) => socket.once("data", resolve));
    socket.write(
      "POST /api/v1/auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
        "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n",
    );
    await continued;
    const before = performance.now();
    server.signal("SIGTERM");
    await closed;
    expect(performance.now() - before).toBeGreaterThan(8_900);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(11_000);
    expect(server.log).toContain('"event":"stop_incomplete","unfinished":["requests"]');
  });

  test("a silent database and everything else get ten seconds together, and the log names what was left unfinished", async () => {
    await using proxy = await SilentProxy.open(database.url);
    await using server = start({ DATABASE_URL: proxy.url });
    const key = await makeKey(await server.url(), "silent@example.com");
    const { release } = await startHeldCheck(await server.url(), key);
    proxy.fallSilent();
    const before = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(11_500);
    expect(server.log).toContain('"event":"stop_incomplete","unfinished":["requests"');
    await release();
  });

  test.each(["1", "2"])(
    "with %s workers, it keeps serving when the reader of its log is gone, and stops in order",
    async (WORKERS) => {
      await using server = start({ WORKERS });
      const url = await server.url();
      server.closeOutput();
      for (let index = 0; index < 5; index++) {
        expect(
          (await post(url, "/auth/sign-in", {}, { email: "nobody@example.com", password: "wrong wrong" })).status,
        ).toBe(401);
      }
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );

  test("two signals stop it once, in order", async () => {
    await using server = start();
    await server.url();
    server.signal("SIGINT");
    server.signal("SIGTERM");
    server.signal("SIGINT");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.log.match(/"event":"stopping"/g)).toHaveLength(1);
  });
});

describe("a server on its embedded database", () => {
  const start = (dataDir: string) => new MainProcess({ environment: { PORT: "0", DATA_DIR: dataDir } });

  test("after kill -9, the next start has everything that was answered for", async () => {
    await using folder = await makeFolder();
    await using first = start(folder.path);
    const firstUrl = await first.url();
    const [, key = ""] = await first.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
    const headers = { "X-API-Key": key };
    const ids: string[] = [];
    for (let index = 0; index < 10; index++) {
      const recipient = `survivor-${index}@example.com`;
      const { status, body } = await post(firstUrl, "/verify/start", headers, { channel: "email", recipient });
      expect(status).toBe(201);
      ids.push(body.verification_id);
    }
    const wrong = { verification_id: ids[0], code: "123456" };
    expect((await post(firstUrl, "/verify/check", headers, wrong)).body.status).toBe("incorrect");
    first.signal("SIGKILL");
    expect(await first.exited).toEqual({ code: null, signal: "SIGKILL" });

    await using second = start(folder.path);
    const url = await second.url();
    for (const [index, id] of ids.entries()) {
      const { body } = await post(url, "/verify/check", headers, { verification_id: id, code: "000000" });
      expect([index, body]).toEqual([index, { verification_id: id, status: "approved" }]);
    }
    expect(second.output).not.toContain("BYONDAPI_KEY");
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });

  test("starts at last after being killed repeatedly during its start", async () => {
    await using folder = await makeFolder();
    // From before there is a database to the middle of its first use.
    for (const delayMs of [50, 300, 800, 1_500]) {
      await using early = start(folder.path);
      await Promise.race([early.url().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, delayMs))]);
      early.signal("SIGKILL");
      await early.exited;
    }
    await using server = start(folder.path);
    const url = await server.url();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
