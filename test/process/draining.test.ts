/** How a server takes its leave of load balancers. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { startTestApp } from "../support/app.ts";

const healthOf = (url: string) => createClient(Health, createGrpcTransport({ baseUrl: url }));

test("a draining server reports not ready over every protocol, and answers everything else", async () => {
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
  const alive = await fetch(`${app.url}/healthz`);
  expect([alive.status, alive.headers.get("connection")]).toEqual([200, "close"]);
  const body = { channel: "email", recipient: "late@example.com" };
  const started = await app.rest("POST", "/verify/start", { key, body });
  expect([started.status, started.headers.get("connection")]).toEqual([201, "close"]);
  expect(await app.messageTo("late@example.com")).toMatchObject({ recipient: "late@example.com" });
});

test("a server that stops without draining notifies its health watches before they end", async () => {
  await using app = await startTestApp();
  const seen: Status[] = [];
  for await (const { status } of healthOf(app.url).watch({ service: "" })) {
    if (seen.push(status) === 1) void app.app.close();
  }
  expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
});
