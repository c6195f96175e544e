/** Traces across servers, to a collector that is away, and at the stop. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, parseConfig } from "../../src/app.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { TraceCollector, traceParentOf } from "../support/trace-collector.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

const newTraceId = () => randomBytes(16).toString("hex");
const deliveryOver = (url: string): Pick<Config, "delivery"> => ({
  delivery: parseConfig({ SMTP_URL: url, MAIL_FROM: "Acme <no-reply@acme.example>" }).delivery,
});

let collector: TraceCollector;
beforeAll(async () => {
  collector = await TraceCollector.open();
});
afterAll(() => collector[Symbol.asyncDispose]());

async function liveKey(app: TestApp): Promise<string> {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  return (await app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key;
}

const start = (app: TestApp, key: string, traceId: string, recipient = "ada@example.com") =>
  app.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient },
    headers: { traceparent: traceParentOf(traceId) },
  });

test("a delivery by another server is in the trace of the start, and linked to it", async () => {
  const sink = await SmtpSink.open();
  await using resources = new AsyncDisposableStack();
  resources.defer(() => sink.close());
  const starting = resources.use(
    await startTestApp({ ...collector.settings(), ...deliveryOver(`smtp://127.0.0.1:${await freePort()}`) }),
  );
  const sending = resources.use(await starting.startAnother({ ...collector.settings(), ...deliveryOver(sink.url) }));
  const key = await liveKey(starting);
  const traceId = newTraceId();
  expect((await start(starting, key, traceId)).status).toBe(201);
  const handle = await collector.span(traceId, "handle");
  const outcome = (wanted: string) =>
    collector.wait((spans) =>
      spans.find((span) => span.traceId === traceId && span.attributes["byond.delivery.outcome"] === wanted),
    );
  const sent = await outcome("sent");
  expect(sent).toMatchObject({
    name: "deliver email",
    parentSpanId: handle.spanId,
    links: [{ traceId, spanId: handle.spanId }],
    attributes: { "byond.delivery.provider": expect.any(String) },
  });
  expect(sent.attributes["byond.delivery.attempt"]).toBeGreaterThan(1);
  expect(sent.server["service.instance.id"]).not.toBe(handle.server["service.instance.id"]);
  const failed = await outcome("retry");
  expect(failed).toMatchObject({ status: 2, parentSpanId: handle.spanId, attributes: { "error.type": "retry" } });
  expect(failed.server["service.instance.id"]).toBe(handle.server["service.instance.id"]);
  expect(sending.url).not.toBe(starting.url);
});

test("a row of the outbox names its trace if the server sends traces, and only then", async () => {
  await using app = await startTestApp();
  await using traced = await app.startAnother(collector.settings());
  const key = await app.mintKey();
  const admin = new pg.Client(app.databaseUrl);
  await admin.connect();
  const [of, ofTraced] = [newTraceId(), newTraceId()];
  await start(app, key, of, "ada@example.com");
  await start(traced, key, ofTraced, "bob@example.com");
  const { rows } = await admin.query("SELECT trace_parent FROM outbox ORDER BY created_at");
  await admin.end();
  expect(rows).toEqual([
    { trace_parent: null },
    { trace_parent: expect.stringMatching(new RegExp(`^00-${ofTraced}-[0-9a-f]{16}-01$`)) },
  ]);
});

test("over OTLP with protobuf, which is the default, the same arrives, with the headers that are set", async () => {
  const traceId = newTraceId();
  const app = await startTestApp(
    collector.settings({
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_HEADERS: "x-collector-token=a%20token",
      OTEL_SERVICE_NAME: "codes",
    }),
  );
  await start(app, await app.mintKey(), traceId);
  await app[Symbol.asyncDispose]();
  const sent = collector.headers.map((headers, index) => ({ headers, body: collector.bodies[index] }));
  const ofTrace = sent.filter(({ body }) => body?.includes(Buffer.from(traceId, "hex")));
  expect(ofTrace.length).toBeGreaterThan(0);
  expect(ofTrace[0]?.headers).toMatchObject({
    ":path": "/v1/traces",
    "content-type": "application/x-protobuf",
    "x-collector-token": "a token",
  });
  expect(Buffer.concat(ofTrace.map(({ body }) => body ?? Buffer.alloc(0))).toString("latin1")).toContain("codes");
});

test("what waits is sent when the server stops", async () => {
  const app = await startTestApp(collector.settings({ OTEL_BSP_SCHEDULE_DELAY: "60000" }));
  const traceId = newTraceId();
  await start(app, await app.mintKey(), traceId);
  await app.messageTo("ada@example.com");
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  await app[Symbol.asyncDispose]();
  const names = collector.spans.filter((span) => span.traceId === traceId).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["POST /api/v1/verify/start", "handle", "deliver email"]));
});

test("what the operator calls the server counts, not what it calls itself", async () => {
  const traceId = newTraceId();
  const app = await startTestApp(
    collector.settings({ OTEL_RESOURCE_ATTRIBUTES: "service.name=codes,service.instance.id=one" }),
  );
  await start(app, await app.mintKey(), traceId);
  await app[Symbol.asyncDispose]();
  expect(collector.spans.find((span) => span.traceId === traceId)?.server).toMatchObject({
    "service.name": "codes",
    "service.instance.id": "one",
    "service.version": expect.any(String),
  });
});

test("a collector that is away costs a line of the log, and no call", async () => {
  const away = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: "50",
    OTEL_BSP_MAX_QUEUE_SIZE: "4",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2",
  };
  const app = await startTestApp(collector.settings(away));
  const key = await app.mintKey();
  for (let index = 0; index < 20; index += 1) {
    expect((await start(app, key, newTraceId(), `away-${index}@example.com`)).status).toBe(201);
  }
  await app[Symbol.asyncDispose]();
  const lines = app.logLines
    .filter((line) => line.includes('"event":"traces_not_sent"'))
    .map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines[0]).toMatchObject({ level: "warn", spans: expect.any(Number), reason: "ECONNREFUSED" });
  // The first one, and what there was to say at the stop: not one for each batch.
  expect(lines.length).toBeLessThan(5);
});

const linesOf = (app: TestApp): { spans: number; reason: string }[] =>
  app.logLines.filter((line) => line.includes('"event":"traces_not_sent"')).map((line) => JSON.parse(line));
/** How many spans it was sent and did not take: each once, however often it was sent. */
const refusedBy = ({ refused }: TraceCollector) => new Set(refused.map(({ spanId }) => spanId)).size;

test("every span that a collector refuses is in the log once, under its status, also if it takes the last ones", async () => {
  await using refusing = await TraceCollector.open();
  refusing.status = 403;
  const app = await startTestApp(refusing.settings());
  for (const batches of [1, 2, 3]) {
    await app.mintKey();
    await refusing.wait(() => refusing.bodies.length >= batches || undefined);
  }
  refusing.status = 200;
  await app[Symbol.asyncDispose]();
  const lines = linesOf(app);
  expect(lines.map(({ reason }) => reason)).toEqual(["403", "403"]);
  expect(lines.reduce((sum, { spans }) => sum + spans, 0)).toBe(refusedBy(refusing));
});

test.each([
  ["http/json", JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } })],
  ["http/protobuf", Buffer.from([0x0a, 2, 0x08, 2])],
])("spans that a collector rejects of a batch that it takes are in the log, over %s", async (protocol, answer) => {
  await using rejecting = await TraceCollector.open();
  rejecting.answer = answer;
  const app = await startTestApp(rejecting.settings({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }));
  await app.mintKey();
  await app[Symbol.asyncDispose]();
  const lines = linesOf(app);
  expect(new Set(lines.map(({ reason }) => reason))).toEqual(new Set(["rejected"]));
  expect(lines.reduce((sum, { spans }) => sum + spans, 0)).toBe(2 * rejecting.bodies.length);
});

describe.each([
  ["that is overloaded", 503, "503"],
  ["that does not answer", undefined, "timeout"],
] as const)("a collector %s", (_, status, reason) => {
  test("is named so when the time of a batch is over", async () => {
    await using failing = await TraceCollector.open();
    failing.status = status;
    await using app = await startTestApp(failing.settings({ OTEL_EXPORTER_OTLP_TIMEOUT: "50" }));
    await app.mintKey();
    await expect.poll(() => linesOf(app).map((line) => line.reason)).toEqual([reason]);
  });

  test("and what waits at the stop is in the log once", async () => {
    await using failing = await TraceCollector.open();
    failing.status = status;
    const app = await startTestApp(
      failing.settings({ OTEL_BSP_SCHEDULE_DELAY: "60000", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10" }),
    );
    for (let index = 0; index < 5; index += 1) {
      await app.mintKey();
    }
    await app[Symbol.asyncDispose]();
    const lines = linesOf(app);
    expect(new Set(lines.map((line) => line.reason))).toEqual(new Set([reason]));
    const said = lines.reduce((sum, { spans }) => sum + spans, 0);
    await expect.poll(() => refusedBy(failing)).toBe(said);
  });
});

test("a collector that is away at the stop is in the log with the error of the connection", async () => {
  const app = await startTestApp(
    collector.settings({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_BSP_SCHEDULE_DELAY: "60000",
    }),
  );
  await app.mintKey();
  await app[Symbol.asyncDispose]();
  expect(linesOf(app)).toEqual([expect.objectContaining({ spans: expect.any(Number), reason: "ECONNREFUSED" })]);
});
