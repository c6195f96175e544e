import { randomBytes } from "node:crypto";
import { Code } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../../gen/byond/v1/verify_pb.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type CollectedSpan, TraceCollector, traceParentOf } from "../support/trace-collector.ts";

const newTraceId = () => randomBytes(16).toString("hex");
const clientsSpanId = "00f067aa0ba902b7";
const kinds = { internal: 1, server: 2, client: 3, consumer: 5 };

let collector: TraceCollector;
let app: TestApp;
let key: string;

beforeAll(async () => {
  collector = await TraceCollector.open();
  app = await startTestApp(collector.settings({ OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test%20lab" }));
  key = await app.mintKey();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

const start = (traceId: string, recipient: string) =>
  app.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient },
    headers: { traceparent: traceParentOf(traceId) },
  });

/** From a span to the first of its trace that a server has made. */
async function pathTo(last: CollectedSpan, traceId: string): Promise<CollectedSpan[]> {
  const path = [last];
  for (let span = last; span.parentSpanId !== clientsSpanId; ) {
    const { parentSpanId } = span;
    span = await collector.wait((spans) =>
      spans.find((each) => each.traceId === traceId && each.spanId === parentSpanId),
    );
    path.unshift(span);
  }
  return path;
}

describe("a start", () => {
  test("over REST is one trace below the client's span: port, chain, statement, delivery", async () => {
    const traceId = newTraceId();
    const { body, headers } = await start(traceId, "ada@example.com");
    const delivery = await collector.span(traceId, /^deliver /);
    const statement = await collector.span(traceId, /^verify_start|^start_verification/);
    const path = await pathTo(statement, traceId);
    expect(path.map(({ name }) => name)).toEqual(["POST /api/v1/verify/start", "handle", statement.name]);
    const [port, chain] = path;
    expect(port).toMatchObject({
      kind: kinds.server,
      attributes: {
        "http.request.method": "POST",
        "http.route": "/api/v1/verify/start",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "byond.request_id": headers.get("x-request-id"),
      },
      server: {
        "service.name": "byond",
        "service.instance.id": expect.stringMatching(/^srv_/),
        "deployment.environment.name": "test lab",
      },
    });
    expect(port?.attributes).not.toHaveProperty("error.type");
    expect(port?.attributes).not.toHaveProperty("url.path");
    expect(chain).toMatchObject({
      kind: kinds.internal,
      attributes: { "rpc.method": "byond.v1.VerifyService/StartVerification" },
    });
    expect(statement).toMatchObject({
      kind: kinds.client,
      attributes: { "db.system.name": "postgresql", "db.query.summary": statement.name },
    });
    expect(Object.keys(statement.attributes).toSorted()).toEqual([
      "db.namespace",
      "db.query.summary",
      "db.system.name",
      "server.address",
      "server.port",
    ]);
    expect(delivery).toMatchObject({
      kind: kinds.consumer,
      parentSpanId: chain?.spanId,
      links: [{ traceId, spanId: chain?.spanId }],
      attributes: {
        "messaging.destination.name": "email",
        "byond.delivery.outcome": "sent",
        "byond.delivery.attempt": 1,
      },
    });
    expect(body.verification_id).toBeDefined();
    expect(await collector.span(traceId, "admit")).toMatchObject({ kind: kinds.internal, parentSpanId: port?.spanId });
  });

  test("over gRPC is the same, by the conventions for RPC", async () => {
    const traceId = newTraceId();
    const { verify } = app.grpc({ "x-api-key": key, traceparent: traceParentOf(traceId) });
    await verify.startVerification({ channel: Channel.EMAIL, recipient: "bob@example.com" });
    const delivery = await collector.span(traceId, /^deliver /);
    const path = await pathTo(delivery, traceId);
    expect(path.map(({ name }) => name)).toEqual([
      "byond.v1.VerifyService/StartVerification",
      "handle",
      "deliver email",
    ]);
    expect(path[0]).toMatchObject({
      kind: kinds.server,
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": "byond.v1.VerifyService/StartVerification",
        "rpc.response.status_code": "OK",
        "network.protocol.version": "2",
      },
    });
    expect(path[0]?.attributes).not.toHaveProperty("error.type");
  });

  test("of a client that sends no traceparent, or a malformed one, begins a trace", async () => {
    for (const traceparent of [undefined, "00-zz", `ff-${newTraceId()}-${clientsSpanId}-01`, "00-0-0-01"]) {
      const { headers } = await app.rest("POST", "/verify/start", {
        key,
        body: { channel: "email", recipient: "eve@example.com" },
        headers: traceparent === undefined ? {} : { traceparent },
      });
      const id = headers.get("x-request-id");
      const span = await collector.wait((spans) =>
        spans.find(({ attributes }) => attributes["byond.request_id"] === id),
      );
      expect(span.parentSpanId).toBeUndefined();
    }
  });
});

describe("an error", () => {
  test("of the client is no error of the span, and its code is an attribute", async () => {
    const traceId = newTraceId();
    await app.rest("POST", "/verify/start", { headers: { traceparent: traceParentOf(traceId) }, body: {} });
    const span = await collector.span(traceId, /^POST /);
    expect(span.attributes).toMatchObject({ "http.response.status_code": 401, "byond.error.code": "invalid_api_key" });
    expect(span.attributes).not.toHaveProperty("error.type");
    expect(span.status).not.toBe(2);
    expect((await collector.span(traceId, "admit")).status).not.toBe(2);
  });

  test("over gRPC has its status in the words of gRPC", async () => {
    const traceId = newTraceId();
    const { verify } = app.grpc({ traceparent: traceParentOf(traceId) });
    await expect(verify.getVerification({ verificationId: "vrf_1" })).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
    const span = await collector.span(traceId, "byond.v1.VerifyService/GetVerification");
    expect(span.attributes).toMatchObject({ "rpc.response.status_code": "UNAUTHENTICATED" });
    expect(span.attributes).not.toHaveProperty("error.type");
  });

  test("over Connect has it in the words of Connect", async () => {
    const traceId = newTraceId();
    await fetch(`${app.url}/byond.v1.VerifyService/GetVerification`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": key, traceparent: traceParentOf(traceId) },
      body: JSON.stringify({ verificationId: `vrf_${"0".repeat(22)}` }),
    });
    const span = await collector.span(traceId, "byond.v1.VerifyService/GetVerification");
    expect(span.attributes).toMatchObject({
      "rpc.system.name": "connectrpc",
      "rpc.response.status_code": "not_found",
      "http.response.status_code": 404,
    });
  });

  test("of the server is one of the span, of the chain and of the statement, and says nothing of a row", async () => {
    await using broken = await startTestApp(collector.settings());
    const brokenKey = await broken.mintKey();
    const admin = new pg.Client(broken.databaseUrl);
    await admin.connect();
    await admin.query("ALTER TABLE verification RENAME COLUMN brand TO sender");
    await admin.end();
    const traceId = newTraceId();
    const { status } = await broken.rest("POST", "/verify/start", {
      key: brokenKey,
      body: { channel: "email", recipient: "ada@example.com" },
      headers: { traceparent: traceParentOf(traceId) },
    });
    expect(status).toBe(500);
    const port = await collector.span(traceId, /^POST /);
    expect(port).toMatchObject({ status: 2, attributes: { "error.type": "500", "byond.error.code": "internal" } });
    expect(await collector.span(traceId, "handle")).toMatchObject({
      status: 2,
      attributes: { "error.type": "internal" },
    });
    const failed = await collector.wait((spans) =>
      spans.find((span) => span.traceId === traceId && span.attributes["error.type"] === "42703"),
    );
    expect(failed).toMatchObject({ status: 2, kind: kinds.client });
    const line = broken.logLines.find((each) => each.includes('"event":"call_failed"'));
    expect(line).toContain(`"trace_id":"${traceId}"`);
  });
});

test("the lines of a request name its trace", async () => {
  const traceId = newTraceId();
  await start(traceId, "logged@example.com");
  await collector.span(traceId, /^POST /);
  const lines = app.logLines.filter((line) => line.includes(traceId)).map((line) => JSON.parse(line));
  expect(lines).toMatchObject([{ event: "request", route: "POST /api/v1/verify/start", trace_id: traceId }]);
});

test("probes are not traced, and paths that do not exist have no name of their own", async () => {
  await fetch(`${app.url}/healthz`);
  await fetch(`${app.url}/metrics`);
  const traceId = newTraceId();
  await fetch(`${app.url}/${newTraceId()}?a=${newTraceId()}`, { headers: { traceparent: traceParentOf(traceId) } });
  const span = await collector.span(traceId, "GET");
  expect(span.attributes).toMatchObject({ "http.response.status_code": 404 });
  expect(span.attributes).not.toHaveProperty("http.route");
  const routes = collector.spans.map(({ attributes }) => attributes["http.route"]);
  expect(routes).not.toContain("/healthz");
  expect(routes).not.toContain("/metrics");
});

test("a stream is one span, which ends with the stream", async () => {
  const traceId = newTraceId();
  const ended = new AbortController();
  const response = await fetch(`${app.url}/api/v1/events/stream`, {
    headers: { "X-API-Key": key, Accept: "text/event-stream", traceparent: traceParentOf(traceId) },
    signal: ended.signal,
  });
  expect(response.status).toBe(200);
  await collector.span(traceId, "handle");
  await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "streamed@example.com" } });
  const reader = response.body?.getReader();
  let text = "";
  while (!text.includes("verification.")) {
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
  }
  expect(collector.spans.filter((span) => span.traceId === traceId && span.kind === kinds.server)).toEqual([]);
  ended.abort();
  expect(await collector.span(traceId, "GET /api/v1/events/stream")).toMatchObject({ parentSpanId: clientsSpanId });
});

describe("sampling", () => {
  const sampled = async (environment: Record<string, string>, headers: Record<string, string>) => {
    await using server = await startTestApp(collector.settings(environment));
    const { headers: answered } = await server.rest("GET", "/balance", { headers });
    await server.app.close();
    const id = answered.get("x-request-id");
    return collector.spans.find(({ attributes }) => attributes["byond.request_id"] === id);
  };

  test("does as the client says, unless the sampler does not ask it", async () => {
    expect(await sampled({}, { traceparent: traceParentOf(newTraceId(), false) })).toBeUndefined();
    expect(
      await sampled({ OTEL_TRACES_SAMPLER: "always_on" }, { traceparent: traceParentOf(newTraceId(), false) }),
    ).toBeDefined();
    expect(await sampled({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }, {})).toBeUndefined();
    const traceId = newTraceId();
    expect(
      await sampled({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }, { traceparent: traceParentOf(traceId) }),
    ).toMatchObject({ traceId });
    const none = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" };
    expect(await sampled(none, {})).toBeUndefined();
  });

  test("continues no trace of a client where there are no propagators", async () => {
    const traceId = newTraceId();
    const span = await sampled({ OTEL_PROPAGATORS: "none" }, { traceparent: traceParentOf(traceId, false) });
    expect(span?.traceId).not.toBe(traceId);
    expect(span?.parentSpanId).toBeUndefined();
  });

  test("of a start is the sampling of its delivery", async () => {
    const traceId = newTraceId();
    await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "email", recipient: "unsampled@example.com" },
      headers: { traceparent: traceParentOf(traceId, false) },
    });
    await app.messageTo("unsampled@example.com");
    const later = newTraceId();
    await start(later, "sampled@example.com");
    await collector.span(later, /^deliver /);
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
    const line = app.logLines.find((each) => each.includes(traceId));
    expect(line).toContain('"event":"request"');
  });
});
