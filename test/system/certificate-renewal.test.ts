/** A certificate that is renewed while a server runs, in one process and with workers (`WORKERS`). */

import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { holdMigrations } from "../support/hold-migrations.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { until } from "./load.ts";
import { MainProcess, makeFolder } from "./main-process.ts";
import { Connection, processOfWorker } from "./worker-connections.ts";

const secret = "0123456789abcdef0123456789abcdef";
const metricsToken = "metrics-token-of-this-test";
const patienceMs = 60_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

const make = (expiresAtMs?: number) =>
  makeCertificate({ commonName: "localhost", names: ["127.0.0.1"], ...(expiresAtMs && { expiresAtMs }) });
const fingerprint = ({ cert }: Pick<Certificate, "cert">) => new X509Certificate(cert).fingerprint256;

/** A folder whose files are behind a symbolic link that is turned, as Kubernetes mounts a secret. */
async function mountSecret(folder: string) {
  let version = 0;
  const turn = async ({ cert, key }: Pick<Certificate, "cert" | "key">) => {
    const name = `..${version++}`;
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "tls.crt"), cert);
    await writeFile(join(folder, name, "tls.key"), key);
    await symlink(name, join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  await symlink("..data/tls.crt", join(folder, "tls.crt"));
  await symlink("..data/tls.key", join(folder, "tls.key"));
  return { turn, settings: { TLS_CERT: join(folder, "tls.crt"), TLS_KEY: join(folder, "tls.key") } };
}

/** The certificate that a new connection is shown. */
async function shownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerCertificate().fingerprint256;
  socket.destroy();
  return shown;
}

/** Of some new connections, which workers take in turn. */
const shownByAll = async (url: string) => new Set(await Promise.all(Array.from({ length: 8 }, () => shownBy(url))));

async function statusOver(session: ClientHttp2Session): Promise<unknown> {
  const stream = session.request({ ":path": "/readyz" });
  const [headers] = await once(stream.resume(), "response");
  return headers[":status"];
}

/** Calls on new and on kept connections until it is stopped, and says how many were answered, and which were not. */
function callAllTheTime(url: string) {
  const failures: unknown[] = [];
  let answered = 0;
  let isStopped = false;
  const callers = Array.from({ length: 6 }, async (_, index) => {
    let connection = new Connection(url);
    while (!isStopped) {
      try {
        const { status } = await connection.call("/readyz");
        if (status === 200) answered += 1;
        else failures.push(status);
      } catch (error) {
        failures.push(error);
      }
      if (index % 2 === 0) {
        connection[Symbol.dispose]();
        connection = new Connection(url);
      }
    }
    connection[Symbol.dispose]();
  });
  return {
    failures,
    answered: () => answered,
    async stop() {
      isStopped = true;
      await Promise.all(callers);
    },
  };
}

const events = ({ log }: MainProcess, event: string) =>
  log
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));

describe.skipIf(process.platform === "win32").each(["1", "2"])("with %s workers", (WORKERS) => {
  const start = (settings: Record<string, string>) =>
    new MainProcess({
      environment: {
        DATABASE_URL: database.url,
        BYOND_SECRET: secret,
        METRICS_TOKEN: metricsToken,
        PORT: "0",
        WORKERS,
        ...settings,
      },
    });

  test("it is shown to new connections, open ones go on, no call is lost, and nothing else is taken over", async () => {
    await using folder = await makeFolder();
    const { turn, settings } = await mountSecret(folder.path);
    const [first, second, third] = [make(), make(Date.now() + 7_200_000), make(Date.now() + 9_000_000)];
    await turn(first);
    await using server = start(settings);
    const url = await server.url();
    expect(await shownByAll(url)).toEqual(new Set([fingerprint(first)]));
    const session = connectHttp2(url, { rejectUnauthorized: false });
    expect(await statusOver(session)).toBe(200);
    const calls = callAllTheTime(url);
    const shows = (certificate: Certificate) =>
      until("all show the new one", patienceMs, async () => {
        // The server closes what is idle for long.
        expect(await statusOver(session)).toBe(200);
        const shown = await shownByAll(url);
        return shown.size === 1 && shown.has(fingerprint(certificate));
      });

    // Found without a signal.
    await turn(second);
    await shows(second);
    // And at once, by one.
    await turn(third);
    server.signal("SIGHUP");
    await shows(third);
    expect(events(server, "certificate_renewed")).toMatchObject([
      {
        level: "info",
        names: "IP Address:127.0.0.1",
        valid_until: new X509Certificate(second.cert).validToDate.toISOString(),
      },
      {
        level: "info",
        names: "IP Address:127.0.0.1",
        valid_until: new X509Certificate(third.cert).validToDate.toISOString(),
      },
    ]);

    await turn({ cert: make().cert, key: make().key });
    server.signal("SIGHUP");
    await server.wrote(/"event":"certificate_refused".*is not the key of the certificate in TLS_CERT/);
    await turn(make(Date.now() - 60_000));
    server.signal("SIGHUP");
    await server.wrote(/"event":"certificate_refused".*tls\.crt expired at/);
    expect(await shownByAll(url)).toEqual(new Set([fingerprint(third)]));

    using connection = new Connection(url);
    const { text } = await connection.call("/metrics", { headers: { Authorization: `Bearer ${metricsToken}` } });
    const [, expiry] = /^byond_certificate_expiry_timestamp_seconds (\S+)$/m.exec(text) ?? [];
    expect(Number(expiry) * 1_000).toBe(new X509Certificate(third.cert).validToDate.getTime());

    expect(await statusOver(session)).toBe(200);
    session.destroy();
    await calls.stop();
    expect(calls.failures).toEqual([]);
    expect(calls.answered()).toBeGreaterThan(0);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test("SIGHUP during a start does not end it, and what was renewed meanwhile is taken over", async () => {
    await using folder = await makeFolder();
    const { turn, settings } = await mountSecret(folder.path);
    const [first, second] = [make(), make()];
    await turn(first);
    await using held = await holdMigrations(database.url);
    await using server = start(settings);
    await held.isWaitedFor();
    await turn(second);
    server.signal("SIGHUP");
    await held[Symbol.asyncDispose]();
    expect(await shownByAll(await server.url())).toBeDefined();
    await server.wrote(/"event":"certificate_renewed"/);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test("SIGHUP without TLS is a terminal that was closed: what is in flight is finished", async () => {
    await using server = start({ DRAIN_SECONDS: "0" });
    await server.url();
    server.signal("SIGHUP");
    await server.wrote(/"event":"stopping","signal":"SIGHUP"/);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  describe("a read of a file that never returns", () => {
    /** As from a network file system that does not answer: a FIFO that nobody writes to, in each process. */
    async function hang(folder: string): Promise<Record<string, string>> {
      const [fifo, module] = [join(folder, "fifo"), join(folder, "hang.mjs")];
      execFileSync("mkfifo", [fifo]);
      await writeFile(module, `import { readFile } from "node:fs"; readFile(${JSON.stringify(fifo)}, () => {});`);
      return { NODE_OPTIONS: `--import=${module}` };
    }

    test("does not keep a server that was stopped, nor change its status", async () => {
      await using folder = await makeFolder();
      await using server = start({ DRAIN_SECONDS: "0", ...(await hang(folder.path)) });
      await server.url();
      expect(await server.stop()).toEqual({ code: 0, signal: null });
      expect(server.log).toMatch(/"event":"stopped"/);
      expect(server.log).not.toMatch(/stop_incomplete|Warning/);
    });

    test("does not keep one that cannot start", async () => {
      await using folder = await makeFolder();
      const { settings } = await mountSecret(folder.path);
      await using server = start({ ...settings, ...(await hang(folder.path)) });
      expect(await server.exited).toEqual({ code: 1, signal: null });
      expect(server.log).toContain("TLS_CERT: ENOENT");
    });
  });

  if (WORKERS === "2") {
    test("a worker that replaces another shows the one that is in use, whatever the files hold by then", async () => {
      await using folder = await makeFolder();
      const { turn, settings } = await mountSecret(folder.path);
      const [first, second] = [make(), make()];
      await turn(first);
      await using server = start(settings);
      const url = await server.url();
      await turn(second);
      server.signal("SIGHUP");
      await server.wrote(/"event":"certificate_renewed"/);
      await turn({ cert: Buffer.from("half"), key: Buffer.from("a file") });
      process.kill(await processOfWorker(server, 1), "SIGKILL");
      await server.wrote(/"event":"worker_replaced"/);
      expect(await shownByAll(url)).toEqual(new Set([fingerprint(second)]));
    });

    test("secrets are those of the start in a worker that replaces another, whatever their files hold by then", async () => {
      await using folder = await makeFolder();
      const files = { BYOND_SECRET: secret, DATABASE_URL: database.url, METRICS_TOKEN: metricsToken };
      for (const [name, value] of Object.entries(files)) {
        await writeFile(join(folder.path, name), `${value}\n`, { mode: 0o600 });
      }
      const unset = Object.fromEntries(Object.keys(files).map((name) => [name, ""]));
      const named = Object.fromEntries(Object.keys(files).map((name) => [`${name}_FILE`, join(folder.path, name)]));
      await using server = start({ ...unset, ...named });
      const url = await server.url();
      for (const name of Object.keys(files)) {
        await writeFile(join(folder.path, name), "");
      }
      process.kill(await processOfWorker(server, 1), "SIGKILL");
      await server.wrote(/"event":"worker_replaced"/);
      const headers = { Authorization: `Bearer ${metricsToken}`, Connection: "close" };
      for (let count = 0; count < 4; count += 1) {
        expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
      }
      expect(server.log).not.toMatch(/secrets_differ|secret_files_world_readable|worker_ended.*worker_ended/s);
    });
  }
});
