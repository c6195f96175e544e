/** `ALLOWED_NETWORKS`: who may use the server at all. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, test } from "vitest";
import { EventService } from "../../gen/byond/v1/event_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { parseConfig } from "../../src/app.ts";
import { password, startTestApp, useTestApp } from "../support/app.ts";
import { protocols } from "../support/protocols.ts";

const { allowedNetworks, proxyTrust } = parseConfig({
  DATA_DIR: "/data",
  ALLOWED_NETWORKS: "203.0.113.0/24,2001:db8::/32",
  TRUSTED_PROXIES: "127.0.0.1",
});
const verifyToken = "a verify token";
const { delivery } = parseConfig({
  DATA_DIR: "/data",
  WHATSAPP_TOKEN: "a token",
  WHATSAPP_PHONE_NUMBER_ID: "1",
  WHATSAPP_TEMPLATE: "code",
  WHATSAPP_APP_SECRET: "an app secret",
  WHATSAPP_VERIFY_TOKEN: verifyToken,
});
const app = useTestApp({
  allowedNetworks,
  proxyTrust,
  corsOrigins: ["https://app.example.com"],
  metricsToken: "a token",
  delivery,
});

const from = (address: string) => ({ "x-forwarded-for": address });
const [inside, outside] = ["203.0.113.7", "198.51.100.7"];
const email = "ada@example.com";
let key: string;
beforeAll(async () => {
  const headers = from(inside);
  await app.rest("POST", "/auth/sign-up", { headers, body: { email, password, name: "Acme" } });
  const { body } = await app.rest("POST", "/auth/sign-in", { headers, body: { email, password } });
  const session = body.access_token;
  ({ key } = (await app.rest("POST", "/api-keys", { headers, session, body: { name: "key", mode: "test" } })).body);
});

const get = (path: string, address: string, headers: Record<string, string> = {}) =>
  fetch(app.url + path, { headers: { ...from(address), ...headers } });

describe.each(protocols)("over $name", (protocol) => {
  test.each([
    [inside, "ok"],
    ["2001:db8::7", "ok"],
    ["::ffff:203.0.113.7", "ok"],
    [outside, "ip_not_allowed"],
    ["2001:db9::7", "ip_not_allowed"],
    // What is left of the proxy's address is the client's word.
    [`${inside}, ${outside}`, "ip_not_allowed"],
    ["nonsense", "ip_not_allowed"],
  ])("from %s: %s", async (address, code) => {
    const headers = from(address);
    expect((await protocol.call(app, "LookupNumber", { number: "+6591234567" }, { key, headers })).code).toBe(code);
  });

  test("a refused call names the address, and nothing of it was looked at", async () => {
    const refused = await protocol.call(app, "StartVerification", {}, { key: "no key", headers: from(outside) });
    expect([refused.code, refused.body.message]).toEqual([
      "ip_not_allowed",
      `This server may not be called from the IP address ${outside}.`,
    ]);
    const unknown = await protocol.call(app, "StartVerification", {}, { key, headers: from("nonsense") });
    expect(unknown.body.message).toContain("the IP address of this request is unknown");
  });
});

test("calls without a credential are refused, too, and have no effect", async () => {
  const body = { email: "eve@example.com", password, name: "Eve" };
  const refused = await app.rest("POST", "/auth/sign-up", { headers: from(outside), body });
  expect([refused.status, refused.body.error.code]).toEqual([403, "ip_not_allowed"]);
  const signIn = await app.rest("POST", "/auth/sign-in", {
    headers: from(inside),
    body: { email: body.email, password },
  });
  expect(signIn.status).toBe(401);
});

test.each(["/console", "/docs", "/openapi.json", "/protos.tar.gz", "/dev/inbox", "/api/v1/nowhere", "/nowhere", "/"])(
  "%s is for the allowed networks",
  async (path) => {
    const refused = await get(path, outside);
    expect([refused.status, (await refused.json()).error.code]).toEqual([403, "ip_not_allowed"]);
    expect(refused.headers.get("x-request-id")).toMatch(/^req_/);
    expect((await get(path, inside, { "X-API-Key": key })).status).not.toBe(403);
  },
);

test("probes, metrics and the reports of providers may come from everywhere: they tell nothing, or take a secret", async () => {
  expect((await get("/healthz", outside)).status).toBe(200);
  expect((await get("/readyz", outside)).status).toBe(200);
  expect((await get("/metrics", outside)).status).toBe(404);
  expect((await get("/metrics", outside, { Authorization: "Bearer a token" })).status).toBe(200);
  const handshake = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.verify_token": verifyToken,
    "hub.challenge": "4711",
  });
  expect(await (await get(`/webhooks/whatsapp?${handshake}`, outside)).text()).toBe("4711");
  const transport = createGrpcTransport({ baseUrl: app.url });
  const { status } = await createClient(Health, transport).check({}, { headers: from(outside) });
  expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
});

test.each([
  ["gRPC", () => createGrpcTransport({ baseUrl: app.url })],
  ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: app.url, httpVersion: "1.1" })],
  ["Connect", () => createConnectTransport({ baseUrl: app.url, httpVersion: "1.1" })],
] as const)("clients over %s read the refusal of calls and of streams", async (_, transport) => {
  const headers = { ...from(outside), "X-API-Key": key };
  const call = createClient(LookupService, transport()).lookupNumber({ number: "+6591234567" }, { headers });
  await expect(call).rejects.toThrow(/permission_denied/);
  const stream = createClient(EventService, transport()).streamEvents({}, { headers });
  await expect(Array.fromAsync(stream)).rejects.toThrow(/permission_denied/);
});

test("a page of another origin can read why it was refused, also after a preflight", async () => {
  const preflight = await fetch(`${app.url}/api/v1/lookup`, {
    method: "OPTIONS",
    headers: { ...from(outside), Origin: "https://app.example.com", "Access-Control-Request-Method": "GET" },
  });
  expect(preflight.status).toBe(204);
  const stranger = await fetch(`${app.url}/api/v1/lookup`, {
    method: "OPTIONS",
    headers: { ...from(outside), Origin: "https://other.example.com", "Access-Control-Request-Method": "GET" },
  });
  expect(stranger.status).toBe(403);
  const answer = await get("/api/v1/lookup?number=%2B6591234567", outside, { Origin: "https://app.example.com" });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([403, "https://app.example.com"]);
});

test("without a trusted proxy, the address of the connection counts", async () => {
  await using direct = await startTestApp({ allowedNetworks });
  expect((await fetch(`${direct.url}/docs`, { headers: from(inside) })).status).toBe(403);
  const { allowedNetworks: loopback } = parseConfig({ ALLOWED_NETWORKS: "127.0.0.0/8" });
  await using local = await startTestApp({ allowedNetworks: loopback });
  expect((await fetch(`${local.url}/docs`, { headers: from(outside) })).status).toBe(200);
});
