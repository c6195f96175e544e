/** What a process does that is told to stop: once, twice, and while it loses its database. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { holdMigrations } from "../support/hold-migrations.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";

test("after SIGTERM the port accepts for DRAIN_SECONDS, then the process exits with 0", async () => {
  const database = await createMigratedDatabase();
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", DRAIN_SECONDS: "2" };
  await using server = new MainProcess({ environment });
  const url = await server.url();
  server.signal("SIGTERM");
  await server.wrote(/"event":"stopping"/);
  const ready = await fetch(`${url}/readyz`, { headers: { Connection: "close" } });
  expect([ready.status, await ready.json()]).toEqual([503, { status: "stopping" }]);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await database.drop();
});

test.each(["1", "2"])(
  "SIGTERM ends a start of %s workers that waits for the migrations of another server with 0, and the log says so",
  async (WORKERS) => {
    const database = await createMigratedDatabase();
    await using holder = await holdMigrations(database.url);
    const environment = { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", WORKERS };
    await using server = new MainProcess({ environment });
    await holder.isWaitedFor();
    server.signal("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.output).toBe("");
    expect(server.log).toContain('"event":"stopping","signal":"SIGTERM"');
    expect(server.log).toContain('"event":"stopped"');
    await database.drop();
  },
);

test("a server that loses its embedded PostgreSQL while draining stops at once", async () => {
  await using folder = await makeFolder();
  await using server = new MainProcess({ environment: { DATA_DIR: folder.path, PORT: "0", DRAIN_SECONDS: "600" } });
  await server.url();
  const [processId] = (await readFile(join(folder.path, "postgres/postmaster.pid"), "utf8")).split("\n");
  server.signal("SIGTERM");
  await server.wrote(/"event":"stopping"/);
  process.kill(Number(processId), "SIGQUIT");
  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test("a second SIGINT ends the process", async () => {
  const database = await createMigratedDatabase();
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", DRAIN_SECONDS: "600" };
  await using server = new MainProcess({ environment });
  await server.url();
  server.signal("SIGINT");
  await server.wrote(/"event":"stopping"/);
  // One right after the first is the same Ctrl-C, by way of npm.
  const again = setInterval(() => server.signal("SIGINT"), 100);
  expect(await server.exited).toEqual({ code: 130, signal: null });
  clearInterval(again);
  await database.drop();
});

test.each(["1", "2"])("the last lines of a server with %s workers reach a reader that is slow", async (WORKERS) => {
  const database = await createMigratedDatabase();
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", WORKERS };
  await using server = new MainProcess({ environment });
  const url = await server.url();
  server.pauseLog(true);
  // More than the pipe and its reader's memory hold: the rest waits in the server.
  const calls = 2_500;
  for (let sent = 0; sent < calls; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/healthz`).then((answer) => answer.text())));
  }
  const connects = () =>
    fetch(`${url}/healthz`).then(
      () => true,
      () => false,
    );
  server.signal("SIGTERM");
  await vi.waitFor(async () => expect(await connects()).toBe(false), { timeout: 20_000, interval: 20 });
  expect(server.log).not.toContain("stopped");
  server.pauseLog(false);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  const events = server.log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).event);
  expect(events.filter((event) => event === "request").length).toBeGreaterThanOrEqual(calls);
  // Calls that were under way end in between.
  expect(events.filter((event) => event !== "request").slice(-2)).toEqual(["stopping", "stopped"]);
  expect(events.at(-1)).toBe("stopped");
  await database.drop();
});

test("LOG_PROBES=off, LOG_LEVEL and LOG_FORMAT: probes that succeed have no line, others do", async () => {
  const database = await createMigratedDatabase();
  const environment = {
    DATABASE_URL: database.url,
    BYOND_SECRET: secret,
    PORT: "0",
    LOG_PROBES: "off",
    LOG_FORMAT: "pretty",
  };
  await using server = new MainProcess({ environment });
  const url = await server.url();
  const get = (path: string) => fetch(`${url}${path}`, { headers: { Connection: "close" } });
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(200);
  expect((await get("/metrics")).status).toBe(404);
  expect((await get("/nowhere")).status).toBe(404);
  await server.stop();
  const requests = server.log.split("\n").filter((line) => line.includes(" request "));
  expect(requests.map((line) => /route=\S+ status=\d+/.exec(line)?.[0])).toEqual([
    "route=unmatched status=404",
    "route=unmatched status=404",
  ]);
  expect(server.log).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}started /m);
  await using quiet = new MainProcess({ environment: { ...environment, LOG_LEVEL: "error", LOG_FORMAT: "json" } });
  await quiet.url();
  expect(await quiet.stop()).toEqual({ code: 0, signal: null });
  expect(quiet.log).toBe("");
  await database.drop();
});
