/** How a server takes its leave of load balancers. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { createMigratedDatabase, startTestApp } from "../support/app.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const healthOf = (url: string) => createClient(Health, createGrpcTransport({ baseUrl: url }));

test("a server that drains says that it is not ready, on every way there is to ask, and answers everything else", async () => {
  await using app = await startTestApp({ drainSeconds: 600 });
  const key = await app.mintKey();
  const watch = healthOf(app.url).watch({ service: "byond.v1.VerifyService" })[Symbol.asyncIterator]();
  expect((await watch.next()).value?.status).toBe(Status.SERVING);

  void app.app.drain();
  expect((await watch.next()).value?.status).toBe(Status.NOT_SERVING);
  expect((await healthOf(app.url).check({ service: "" })).status).toBe(Status.NOT_SERVING);
  // On connections of their own, too.
  const ready = await fetch(`${app.url}/readyz`, { headers: { Connection: "close" } });
  expect([ready.status, await ready.json()]).toEqual([503, { status: "stopping" }]);
  expect((await fetch(`${app.url}/healthz`, { headers: { Connection: "close" } })).status).toBe(200);
  const body = { channel: "email", recipient: "late@example.com" };
  expect((await app.rest("POST", "/verify/start", { key, body })).status).toBe(201);
  expect(await app.messageTo("late@example.com")).toMatchObject({ recipient: "late@example.com" });
});

test("a server that stops without draining tells those who watch it before their streams end", async () => {
  await using app = await startTestApp();
  const seen: Status[] = [];
  for await (const { status } of healthOf(app.url).watch({ service: "" })) {
    if (seen.push(status) === 1) void app.app.close();
  }
  expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
});

const secret = "0123456789abcdef0123456789abcdef";

test("after SIGTERM the port accepts for DRAIN_SECONDS, and then the process ends with 0", async () => {
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

test("a server that loses its own PostgreSQL while it drains does not go on waiting", async () => {
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
