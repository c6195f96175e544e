/** What a process does that is told to stop: once, twice, and while it loses its database. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
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
