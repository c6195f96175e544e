/** Servers of several processes (`WORKERS`), as real processes: what they share, and what happens when one of them ends. */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { connect as connectTo } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { makeCertificate } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { inParallel, until } from "./load.ts";
import { MainProcess, makeFolder } from "./main-process.ts";
import { Connection, connectToBoth, isThere, processesBelow, processOfWorker, workerOf } from "./worker-connections.ts";

const secret = "0123456789abcdef0123456789abcdef";

/** `GET /metrics`: the value of a series, added up over its labels. */
function sumOf(metrics: string, series: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(series))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

describe.skipIf(process.platform !== "linux")("two workers on an embedded database", () => {
  const start = (dataDir: string, environment: Record<string, string> = {}) =>
    new MainProcess({ environment: { PORT: "0", DATA_DIR: dataDir, WORKERS: "2", ...environment } });

  async function keyOf(server: MainProcess): Promise<string> {
    const [, key = ""] = await server.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
    return key;
  }

  test("greet once, serve both, and log whole lines that say which worker wrote them", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    using both = await connectToBoth(server, url);
    await inParallel(200, async (index) => {
      expect((await (both[index % 2] ?? both[0]).call("/healthz")).status).toBe(200);
    });
    expect(await server.stop()).toEqual({ code: 0, signal: null });

    expect(server.output.match(/Byond is listening/g)).toHaveLength(1);
    expect(server.output.match(/BYONDAPI_KEY="/g)).toHaveLength(1);
    expect(server.output.match(/enter\?token=/g)).toHaveLength(1);
    expect(server.output.match(/inbox\?token=/g)).toHaveLength(1);
    const lines = server.log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const ofEvent = (event: string) => lines.filter((line) => line.event === event);
    expect(ofEvent("started")).toMatchObject([{ workers: 2, url }]);
    expect(ofEvent("stopping")).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ event: "stopped" });
    const counts = [1, 2].map((worker) => ofEvent("request").filter((line) => line.worker === worker).length);
    expect(counts[0]).toBeGreaterThanOrEqual(100);
    expect(counts[1]).toBeGreaterThanOrEqual(100);
  });

  test("show the same inbox, and their link opens it once, whichever gets it", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    const key = await keyOf(server);
    const [, link = ""] = await server.wrote(/(\/dev\/inbox\?token=\S+)/);
    using both = await connectToBoth(server, url);
    const headers = { "X-API-Key": key };
    const recipients = Array.from({ length: 10 }, (_, index) => `inbox-${index}@example.com`).sort();
    await inParallel(recipients.length, async (index) => {
      const body = { channel: "email", recipient: recipients[index] };
      const { status } = await (both[index % 2] ?? both[0]).call("/api/v1/verify/start", {
        method: "POST",
        headers,
        body,
      });
      expect(status).toBe(201);
    });
    const inboxOf = async (connection: Connection, credentials: Record<string, string>) => {
      const { body } = await connection.call("/dev/inbox", { headers: credentials });
      return body.map(({ recipient }: { recipient: string }) => recipient).sort();
    };
    for (const connection of both) {
      await until(
        "all messages are in the inbox",
        30_000,
        async () => (await inboxOf(connection, headers)).length === 10,
      );
      expect(await inboxOf(connection, headers)).toEqual(recipients);
    }

    const openings = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (both[index % 2] ?? both[0]).call(link)),
    );
    const opened = openings.filter(({ status }) => status === 200);
    expect(opened).toHaveLength(1);
    expect(openings.filter(({ status }) => status === 401)).toHaveLength(9);
    const cookie = opened[0]?.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    for (const connection of both) {
      expect(await inboxOf(connection, { Cookie: cookie })).toEqual(recipients);
    }
  });

  test("sign a browser in to the console with one link, once, whichever gets it", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    const [, link = ""] = await server.wrote(/(\/console\/enter\?token=\S+)/);
    using both = await connectToBoth(server, url);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (both[index % 2] ?? both[0]).call(link)),
    );
    const entered = answers.filter(({ status }) => status === 303);
    expect(entered).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
    const Cookie = entered[0]?.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const headers = { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin", Cookie };
    for (const connection of both) {
      expect((await connection.call("/api/v1/auth/me", { headers })).body.email).toBe("demo@localhost");
    }
    expect((await both[0].call("/api/v1/auth/logout-all", { method: "POST", headers })).status).toBe(200);
    for (const connection of both) {
      expect((await connection.call("/api/v1/auth/me", { headers })).status).toBe(401);
    }
  });

  test("answer /metrics with the same sums, which do not fall when a worker is killed", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    using both = await connectToBoth(server, url);
    const count = 'byond_http_request_duration_seconds_count{route="/docs/errors"';
    const sums = async (connection: Connection) => sumOf((await connection.call("/metrics")).text, count);
    await both[0].call("/docs/errors");
    await both[1].call("/docs/errors");
    await both[1].call("/docs/errors");
    expect([await sums(both[0]), await sums(both[1])]).toEqual([3, 3]);
    const { text } = await both[0].call("/metrics");
    expect(text).toContain("\nbyond_lease_valid 1\n");
    expect(text).toContain("\nbyond_processes 2\n");
    expect(text).toContain("\nbyond_http_requests_in_flight 1\n");
    expect(sumOf(text, 'byond_outbox_messages{channel="email"')).toBe(0);
    expect(sumOf(text, "process_resident_memory_bytes")).toBeGreaterThan(100e6);
    expect(text.match(/^# TYPE byond_http_request_duration_seconds /gm)).toHaveLength(1);

    process.kill(await processOfWorker(server, 2), "SIGKILL");
    await server.wrote(/"event":"worker_replaced"/);
    expect(await sums(both[0])).toBe(3);
    using anew = await connectToBoth(server, url);
    await anew[1].call("/docs/errors");
    expect([await sums(anew[0]), await sums(anew[1])]).toEqual([4, 4]);
  });

  test("a worker killed under load is replaced; calls of the other one succeed, and every message is delivered", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    const headers = { "X-API-Key": await keyOf(server) };
    using both = await connectToBoth(server, url);
    const started: string[] = [];
    let failures = 0;
    const begin = async (connection: Connection, name: string) => {
      const recipient = `${name}@example.com`;
      const body = { channel: "email", recipient };
      const { status } = await connection.call("/api/v1/verify/start", { method: "POST", headers, body });
      expect(status).toBe(201);
      started.push(recipient);
    };
    const load = inParallel(2, async (index) => {
      for (let round = 0; round < 40; round += 1) {
        const call = begin(both[index] ?? both[0], `load-${index}-${round}`);
        // Calls of the worker that is killed fail; those of the other one must not.
        await (index === 0
          ? call
          : call.catch(() => {
              failures += 1;
            }));
      }
    });
    await until("the load is under way", 30_000, () => started.length >= 20);
    process.kill(await processOfWorker(server, 2), "SIGKILL");
    await load;
    expect(failures).toBeLessThan(20);
    const [line] = await server.wrote(/^.*"event":"worker_ended".*$/m);
    expect(JSON.parse(line)).toMatchObject({ level: "error", worker: 2, signal: "SIGKILL", replaced_after_ms: 500 });
    await server.wrote(/"event":"worker_replaced","worker":2/);
    using anew = await connectToBoth(server, url);
    expect((await anew[1].call("/readyz")).status).toBe(200);
    // What the killed one had claimed is taken over when its claim runs out.
    await until("every message is delivered", 40_000, async () => {
      const { body } = await anew[1].call("/dev/inbox", { headers });
      const there = new Set(body.map(({ recipient }: { recipient: string }) => recipient));
      return started.every((recipient) => there.has(recipient));
    });
  });

  test("clients that connect while the workers start are spread over them, and none is turned away", async () => {
    await using folder = await makeFolder();
    const port = await freePort();
    const isOpen = () =>
      new Promise<boolean>((resolve) => {
        const socket = connectTo(port, "127.0.0.1", () => resolve(true));
        socket.on("error", () => resolve(false));
        socket.once("connect", () => socket.destroy());
      });
    await using server = start(folder.path, { PORT: String(port) });
    const connections = [1, 2, 3, 4].map(() => new Connection(`http://127.0.0.1:${port}`));
    await until("the port is open", 60_000, isOpen);
    const answers = await Promise.all(connections.map((connection) => connection.call("/healthz")));
    const numbers = await Promise.all(answers.map((answer) => workerOf(server, answer)));
    expect(numbers.sort()).toEqual([1, 1, 2, 2]);
    for (const connection of connections) {
      connection[Symbol.dispose]();
    }
  });

  test("a worker that is stopped keeps few clients waiting, and serves them when it goes on", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    const stopped = await processOfWorker(server, 1);
    process.kill(stopped, "SIGSTOP");
    const connections = Array.from({ length: 40 }, () => new Connection(url));
    let answered = 0;
    const calls = connections.map(async (connection) => {
      const { status } = await connection.call("/healthz");
      answered += 1;
      return status;
    });
    await until("the other worker has answered what it can get", 10_000, () => answered >= 36);
    process.kill(stopped, "SIGCONT");
    expect(await Promise.all(calls)).toEqual(connections.map(() => 200));
    for (const connection of connections) {
      connection[Symbol.dispose]();
    }
  });

  test("a worker that keeps ending soon is replaced after longer and longer pauses", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    await server.url();
    for (const times of [1, 2]) {
      process.kill(await processOfWorker(server, 1), "SIGKILL");
      await until(
        "it is replaced",
        30_000,
        () => (server.log.match(/"event":"worker_replaced"/g) ?? []).length === times,
      );
    }
    const pauses = server.log.match(/"replaced_after_ms":\d+/g);
    expect(pauses).toEqual(['"replaced_after_ms":500', '"replaced_after_ms":1000']);
  });

  test("after kill -9 of both, both are replaced, on the same port", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    const url = await server.url();
    for (const processId of [await processOfWorker(server, 1), await processOfWorker(server, 2)]) {
      process.kill(processId, "SIGKILL");
    }
    await until("both are replaced", 30_000, () => (server.log.match(/"event":"worker_replaced"/g) ?? []).length === 2);
    using both = await connectToBoth(server, url);
    for (const connection of both) {
      expect((await connection.call("/readyz")).status).toBe(200);
    }
  });

  test("kill -9 of the first process leaves none behind", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path);
    await server.url();
    const below = (await processesBelow(server.processId)).map(({ id }) => id);
    expect(below.length).toBeGreaterThan(4);
    server.signal("SIGKILL");
    await server.exited;
    await until("all processes have ended", 10_000, async () => {
      const there = await Promise.all(below.map(isThere));
      return !there.includes(true);
    });
    // And the next start finds its data.
    await using next = start(folder.path);
    expect((await fetch(`${await next.url()}/readyz`)).status).toBe(200);
    expect(next.output).not.toContain("BYONDAPI_KEY");
  });

  test("the processes have no setting in their environment or on their command line", async () => {
    await using folder = await makeFolder();
    const canary = "canary-0123456789abcdef0123456789abcdef";
    await using server = start(folder.path, { BYOND_SECRET: canary, METRICS_TOKEN: canary, OTHER_SECRET: canary });
    await server.url();
    const workers = (await processesBelow(server.processId)).filter(({ command }) => command.includes("--worker"));
    expect(workers).toHaveLength(2);
    for (const { id, command } of workers) {
      const environment = await readFile(`/proc/${id}/environ`, "utf8");
      expect(environment + command).not.toContain(canary);
      expect(environment).not.toContain(folder.path);
      expect(environment).not.toContain("postgres://");
    }
  });

  test("signals that a terminal sends to all processes stop the server once; a second SIGINT ends it at once", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path, { DRAIN_SECONDS: "600" });
    const url = await server.url();
    using both = await connectToBoth(server, url);
    const below = (await processesBelow(server.processId)).map(({ id }) => id);
    for (const number of [1, 2]) {
      process.kill(await processOfWorker(server, number), "SIGINT");
    }
    server.signal("SIGINT");
    await server.wrote(/"event":"stopping"/);
    for (const connection of both) {
      await until("both workers are draining", 10_000, async () => (await connection.call("/readyz")).status === 503);
      expect((await connection.call("/healthz")).status).toBe(200);
    }
    // One right after the first is the same Ctrl-C, by way of npm.
    const again = setInterval(() => server.signal("SIGINT"), 100);
    expect(await server.exited).toEqual({ code: 130, signal: null });
    clearInterval(again);
    await until(
      "all processes have ended",
      10_000,
      async () => !(await Promise.all(below.map(isThere))).includes(true),
    );
  });

  test("a second SIGINT ends a worker that is stopped, too", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path, { DRAIN_SECONDS: "600" });
    await server.url();
    const below = (await processesBelow(server.processId)).map(({ id }) => id);
    process.kill(await processOfWorker(server, 2), "SIGSTOP");
    const interrupts = setInterval(() => server.signal("SIGINT"), 100);
    expect(await server.exited).toEqual({ code: 130, signal: null });
    clearInterval(interrupts);
    await until(
      "all processes have ended",
      10_000,
      async () => !(await Promise.all(below.map(isThere))).includes(true),
    );
  });

  test("end with their PostgreSQL, and with the error", async () => {
    await using folder = await makeFolder();
    await using server = start(folder.path, { DRAIN_SECONDS: "600" });
    await server.url();
    const [processId] = (await readFile(join(folder.path, "postgres/postmaster.pid"), "utf8")).split("\n");
    process.kill(Number(processId), "SIGQUIT");
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.log).toMatch(/"level":"error",.*"event":"stopping",.*PostgreSQL ended/);
  });
});

describe.skipIf(process.platform !== "linux")("two workers on an external database", () => {
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
      environment: {
        DATABASE_URL: database.url,
        BYOND_SECRET: secret,
        PORT: "0",
        SIGN_UP: "open",
        WORKERS: "2",
        ...environment,
      },
    });

  async function signUp(connection: Connection, email: string): Promise<Record<string, string>> {
    const account = { email, password: "correct horse battery", name: "Acme" };
    const { body } = await connection.call("/api/v1/auth/sign-up", { method: "POST", body: account });
    return { Authorization: `Bearer ${body.access_token}` };
  }

  async function makeKey(connection: Connection, session: Record<string, string>) {
    const body = { name: "key", mode: "test" };
    return (await connection.call("/api/v1/api-keys", { method: "POST", headers: session, body })).body;
  }

  test("a key revoked at one worker is refused by the other before the call returns", async () => {
    await using server = start();
    const url = await server.url();
    using both = await connectToBoth(server, url);
    const session = await signUp(both[0], "revoked@example.com");
    for (let round = 0; round < 5; round += 1) {
      const { id, key } = await makeKey(both[0], session);
      const headers = { "X-API-Key": key };
      for (const connection of both) {
        expect((await connection.call("/api/v1/lookup?number=%2B6591234567", { headers })).status).toBe(200);
      }
      const [one, other] = round % 2 === 0 ? both : both.toReversed();
      const revoked = await one?.call(`/api/v1/api-keys/${id}`, { method: "DELETE", headers: session });
      expect(revoked?.status).toBeLessThan(300);
      expect((await other?.call("/api/v1/lookup?number=%2B6591234567", { headers }))?.status).toBe(401);
    }
  });

  test("SIGTERM: both finish what is in flight, then all end with 0", async () => {
    await using server = start();
    const url = await server.url();
    using both = await connectToBoth(server, url);
    const session = await signUp(both[0], "drained@example.com");
    const headers = { "X-API-Key": (await makeKey(both[0], session)).key };
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    const ids: string[] = [];
    for (const recipient of ["one@example.com", "two@example.com"]) {
      const body = { channel: "email", recipient };
      const { body: answer } = await both[0].call("/api/v1/verify/start", { method: "POST", headers, body });
      ids.push(answer.verification_id);
    }
    await holder.query("BEGIN");
    await holder.query("SELECT FROM verification WHERE id = ANY ($1) FOR UPDATE", [ids]);
    const checks = both.map((connection, index) =>
      connection.call("/api/v1/verify/check", {
        method: "POST",
        headers,
        body: { verification_id: ids[index], code: "000000" },
      }),
    );
    await until("both checks wait for the row", 10_000, async () => {
      const { rows } = await watcher.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows.length === 2;
    });
    server.signal("SIGTERM");
    await server.wrote(/"event":"stopping"/);
    await until("nobody accepts any more", 10_000, async () =>
      new Connection(url).call("/healthz").then(
        () => false,
        () => true,
      ),
    );
    await holder.end();
    const answers = await Promise.all(checks);
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
      [200, "approved"],
      [200, "approved"],
    ]);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    const workers = await Promise.all(answers.map((answer) => workerOf(server, answer)));
    expect(workers).toEqual([1, 2]);
    const { rows } = await watcher.query("SELECT FROM server");
    expect(rows).toEqual([]);
  });

  test("serve over TLS, HTTP/1.1 and HTTP/2", async () => {
    await using folder = await makeFolder();
    const { cert, key } = makeCertificate({ commonName: "localhost", names: ["127.0.0.1"] });
    const [certPath, keyPath] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
    await writeFile(certPath, cert);
    await writeFile(keyPath, key);
    await using server = start({ TLS_CERT: certPath, TLS_KEY: keyPath });
    const url = await server.url();
    expect(url).toMatch(/^https:/);
    using both = await connectToBoth(server, url);
    for (const connection of both) {
      expect((await connection.call("/readyz")).status).toBe(200);
    }
    for (let count = 0; count < 4; count += 1) {
      const session = connect(url, { rejectUnauthorized: false });
      const stream = session.request({ ":path": "/healthz" });
      const [headers] = await once(stream, "response");
      expect(headers[":status"]).toBe(200);
      session.destroy();
    }
  });
});

describe("a start that fails", () => {
  /** Runs until it ends, which it should do by itself, and tells what it said. */
  async function refusal(environment: Record<string, string>): Promise<string> {
    await using main = new MainProcess({ environment: { WORKERS: "3", ...environment } });
    expect(await main.exited).toEqual({ code: 1, signal: null });
    expect(main.output).toBe("");
    return main.log;
  }

  test("because the port is taken says so once, as one process does", async () => {
    await using folder = await makeFolder();
    const port = String(await freePort());
    await using first = new MainProcess({ environment: { PORT: port, DATA_DIR: join(folder.path, "first") } });
    await first.url();
    expect(await refusal({ PORT: port, DATA_DIR: join(folder.path, "second") })).toBe(
      `Cannot listen on 127.0.0.1:${port}: the port is taken. Set PORT to another one, or stop the server that has it.\n`,
    );
  });

  test("because the database is away says so once", async () => {
    const port = await freePort();
    const environment = { DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/c`, BYOND_SECRET: secret, PORT: "0" };
    const said = await refusal(environment);
    expect(said).toMatch(/^The database of DATABASE_URL cannot be used: [^\n]+\n$/);
  });

  test("because of WORKERS names the setting", async () => {
    const said = await refusal({ PORT: "0", WORKERS: "1000" });
    expect(said).toContain('WORKERS must be auto, or a whole number between 1 and 128, not "1000"');
  });
});
