import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { startTestApp, type TestApp } from "../support/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

function health() {
  return createClient(Health, createGrpcTransport({ baseUrl: app.url }));
}

async function bufCurl(...args: readonly string[]): Promise<string> {
  const root = join(import.meta.dirname, "../..");
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/buf"), ["curl", ...args], { cwd: root });
  return stdout;
}

test.each(["", "byond.v1.VerifyService"])("the service '%s' is serving, for anybody who asks", async (service) => {
  expect((await health().check({ service })).status).toBe(Status.SERVING);
});

test("an unknown service is not found", async () => {
  await expect(health().check({ service: "nobody" })).rejects.toThrow("[not_found]");
});

test("a watch tells the status at once and ends with the call", async () => {
  const abort = new AbortController();
  const seen: Status[] = [];
  await expect(async () => {
    for await (const { status } of health().watch({ service: "" }, { signal: abort.signal })) {
      seen.push(status);
      abort.abort();
    }
  }).rejects.toThrow();
  expect(seen).toEqual([Status.SERVING]);
});

test("buf curl lists the services and calls one without a schema", async () => {
  const listed = await bufCurl("--http2-prior-knowledge", "--list-methods", app.url);
  expect(listed).toContain("byond.v1.VerifyService/StartVerification");
  const key = await app.mintKey();
  const url = `${app.url}/byond.v1.LookupService/LookupNumber`;
  const protocol = ["--http2-prior-knowledge", "--protocol", "grpc"];
  const answer = await bufCurl(...protocol, "-H", `X-API-Key: ${key}`, "-d", '{"number": "+6591234567"}', url);
  expect(JSON.parse(answer)).toMatchObject({ numberE164: "+6591234567", lineType: "LINE_TYPE_MOBILE" });
});
