import { execFile } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test, vi } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection, ServerReflectionRequestSchema } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { connectHttp2, requestHttp2 } from "../server/port-fixture.ts";
import { startTestApp, useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import { loopbackProxy } from "../support/loopback-proxy.ts";

const app = useTestApp();

function health() {
  return createClient(Health, createGrpcTransport({ baseUrl: app.url }));
}

async function bufCurl(...args: readonly string[]): Promise<string> {
  const root = join(import.meta.dirname, "../..");
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/buf"), ["curl", ...args], { cwd: root });
  return stdout;
}

test.each(["", "byond.v1.VerifyService"])("the service '%s' is serving, without a credential", async (service) => {
  expect((await health().check({ service })).status).toBe(Status.SERVING);
});

test("an unknown service is not found", async () => {
  await expect(health().check({ service: "nobody" })).rejects.toThrow("[not_found]");
});

test("a watch sends the status at once and ends with the call", async () => {
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

describe("an unreadable message is a client error, not a server error", () => {
  const garbage = Buffer.from([0xff, 0xff, 0xff]);
  const framed = (message: Uint8Array, flags = 0) =>
    Buffer.concat([Buffer.from([flags, 0, 0, 0, message.length]), message]);
  const invalid = { grpc: "3", connect: "invalid_argument" };
  // gRPC Compression, test case 6.
  const internal = { grpc: "13", connect: "internal" };
  const gzip = { "grpc-encoding": "gzip", "connect-content-encoding": "gzip" };
  const sent = [
    ["garbage", {}, framed(garbage), invalid],
    ["garbage for gzip", gzip, framed(garbage, 1), invalid],
    ["flagged as compressed, in no encoding", {}, framed(garbage, 1), internal],
    ["half a message", {}, framed(garbage).subarray(0, 7), invalid],
  ] as const;
  const unary = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List"];
  const streams = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
  ];
  const failures = () => app.logLines.filter((line) => line.includes("call_failed")).length;

  test.each(sent)("gRPC: %s", async (_what, encoding, body, code) => {
    for (const path of [...unary, ...streams]) {
      const session = connectHttp2(app.url);
      const headers = { "content-type": "application/grpc", ...encoding };
      const stream = session.request({ ":method": "POST", ":path": path, ...headers });
      const trailers = once(stream, "trailers");
      stream.resume();
      stream.end(body);
      expect([path, Object(await trailers)[0]["grpc-status"]]).toEqual([path, code.grpc]);
      session.destroy();
    }
    expect(failures()).toBe(0);
  });

  test.each(sent)("a stream of Connect: %s", async (_what, encoding, body, code) => {
    for (const path of streams) {
      for (const type of ["application/connect+proto", "application/connect+json"]) {
        const headers = { ":method": "POST", ":path": path, "content-type": type, ...encoding };
        const answer = await requestHttp2(app.url, headers, body);
        expect(answer.body).toContain(`"code":"${code.connect}"`);
      }
    }
    expect(failures()).toBe(0);
  });

  test.each([
    ["application/proto", garbage],
    ["application/json", garbage],
    ["application/json", Buffer.from("[secret")],
  ])("Connect: %s", async (type, body) => {
    for (const path of unary) {
      const answer = await fetch(`${app.url}${path}`, { method: "POST", headers: { "Content-Type": type }, body });
      const { code, message } = JSON.parse(await answer.text());
      expect([answer.status, code]).toEqual([400, "invalid_argument"]);
      expect(message).toMatch(
        /^The message cannot be read as grpc\.health\.v1\.Health(Check|List)Request|^The request body is not valid UTF-8\.$/,
      );
    }
    expect(failures()).toBe(0);
  });

  test("unknown fields are ignored, as in every message of gRPC's own services", async () => {
    const headers = { "Content-Type": "application/json" };
    const url = `${app.url}/grpc.health.v1.Health/Check?since=now`;
    const answer = await fetch(url, { method: "POST", headers, body: '{"colour":"red"}' });
    expect([answer.status, await answer.text()]).toEqual([200, '{"status":"SERVING"}']);
  });

  test.each([
    ["none", Buffer.alloc(0)],
    ["two", Buffer.alloc(10)],
  ])("a watch with %s is unimplemented, as gRPC calls a wrong number of messages", async (_what, body) => {
    const session = connectHttp2(app.url);
    const headers = { "content-type": "application/grpc", ":method": "POST", ":path": "/grpc.health.v1.Health/Watch" };
    const stream = session.request(headers);
    const trailers = once(stream, "trailers");
    stream.resume();
    stream.end(body);
    expect(Object(await trailers)[0]["grpc-status"]).toBe("12");
    session.destroy();
  });
});

/** For the server to notice that a client has gone, on a busy machine. */
const patience = { timeout: 20_000, interval: 200 };

/** Opens watches until one is refused; the status of that refusal, and how many there were. */
async function watchUntilRefused(url: string, signal: AbortSignal): Promise<{ watches: number; refusal: unknown }> {
  const client = createClient(Health, createGrpcTransport({ baseUrl: url }));
  for (let watches = 0; ; watches += 1) {
    const watch = client.watch({ service: "" }, { signal })[Symbol.asyncIterator]();
    try {
      await watch.next();
    } catch (refusal) {
      return { watches, refusal };
    }
  }
}

test("one source has at most 50 watches, and gets places back when they end", async () => {
  const abort = new AbortController();
  const first = await watchUntilRefused(app.url, abort.signal);
  expect(first.watches).toBe(50);
  expect(first.refusal).toMatchObject({ code: Code.ResourceExhausted });
  // Everything else is answered still.
  expect((await health().check({ service: "" })).status).toBe(Status.SERVING);
  abort.abort();
  await vi.waitFor(async () => {
    const next = new AbortController();
    const second = await watchUntilRefused(app.url, next.signal);
    next.abort();
    expect(second.watches).toBe(50);
  }, patience);
});

test("500 watches from one network do not keep others out: its oldest one ends", async () => {
  await using other = await startTestApp({ ...limitsOf(), proxyTrust: loopbackProxy });
  using _ended = { [Symbol.dispose]: () => abort.abort() };
  const abort = new AbortController();
  const watchFrom = (address: string, transport = createGrpcTransport({ baseUrl: other.url })) =>
    createClient(Health, transport)
      .watch({ service: "" }, { signal: abort.signal, headers: { "x-forwarded-for": address } })
      [Symbol.asyncIterator]();
  const held = [];
  for (let source = 0; source < 10; source += 1) {
    const transport = createGrpcTransport({ baseUrl: other.url });
    const watches = Array.from({ length: 50 }, () => watchFrom(`2001:db8:0:${source}::1`, transport));
    await Promise.all(watches.map((watch) => watch.next()));
    held.push(...watches);
  }
  await expect(watchFrom("2001:db8:0:ff::1").next()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  expect((await watchFrom("203.0.113.1").next()).value).toMatchObject({ status: Status.SERVING });
  expect(await held[0]?.next()).toMatchObject({ done: true });
  expect((await watchFrom("2001:db8:1::1").next()).value).toMatchObject({ status: Status.SERVING });
}, 60_000);

test("a watch ends after an hour", async () => {
  await using other = await startTestApp();
  const watch = createClient(Health, createGrpcTransport({ baseUrl: other.url })).watch({ service: "" });
  const seen: Status[] = [];
  for await (const { status } of watch) {
    seen.push(status);
    await other.time.advance({ seconds: 3_600 });
  }
  expect(seen).toEqual([Status.SERVING]);
});

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>;

/** Asks on one stream, each question when the one before was answered; then keeps it open until `stay` resolves. */
function ask(url: string, questions: Iterable<Question>, options: CallOptions & { stay?: Promise<void> } = {}) {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: url }));
  async function* requests() {
    yield* questions;
    await options.stay;
  }
  return client.serverReflectionInfo(requests(), options);
}

const fileOf = (fileContainingSymbol: string): Question => ({
  messageRequest: { case: "fileContainingSymbol", value: fileContainingSymbol },
});

test("reflection sends each file once per stream, except for the requested one", async () => {
  const names: string[][] = [];
  let bytes = 0;
  for await (const { messageResponse } of ask(app.url, Array(100).fill(fileOf("byond.v1.VerifyService")))) {
    const files = messageResponse.case === "fileDescriptorResponse" ? messageResponse.value.fileDescriptorProto : [];
    bytes += files.reduce((sum, file) => sum + file.length, 0);
    names.push(files.map((file) => fromBinary(FileDescriptorProtoSchema, file).name));
  }
  expect(names).toHaveLength(100);
  expect(names[0]?.[0]).toBe("byond/v1/verify.proto");
  expect(names[0]).toContain("google/protobuf/descriptor.proto");
  expect(names.slice(1)).toEqual(Array(99).fill(["byond/v1/verify.proto"]));
  // It was 77 KB an answer.
  expect(bytes).toBeLessThan(100 * 10_000 + 80_000);
});

test("a reflection stream takes 100 questions, each of 1 KiB at most", async () => {
  let answers = 0;
  const endless = async () => {
    for await (const _ of ask(app.url, Array(101).fill({ messageRequest: { case: "listServices", value: "" } }))) {
      answers += 1;
    }
  };
  await expect(endless()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  expect(answers).toBe(100);
  const long = ask(app.url, [{ ...fileOf("byond.v1.VerifyService"), host: "a".repeat(1_024) }]);
  await expect(long[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("a reflection stream lasts a minute at most, even if its client keeps it open", async () => {
  await using other = await startTestApp();
  const stay = Promise.withResolvers<void>();
  function* questions() {
    yield fileOf("byond.v1.VerifyService");
  }
  const answers = ask(other.url, questions(), { stay: stay.promise })[Symbol.asyncIterator]();
  await answers.next();
  const end = answers.next();
  end.catch(() => undefined);
  await other.time.advance({ seconds: 60 });
  await expect(end).rejects.toMatchObject({ code: Code.ResourceExhausted });
  stay.resolve();
});

test("one source has at most 20 reflection streams, and gets places back when they end", async () => {
  const abort = new AbortController();
  const stay = Promise.withResolvers<void>();
  const open = async () => {
    const options = { signal: abort.signal, stay: stay.promise };
    await ask(app.url, [fileOf("byond.v1.VerifyService")], options)
      [Symbol.asyncIterator]()
      .next();
  };
  for (let count = 0; count < 20; count += 1) {
    await open();
  }
  await expect(open()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  abort.abort();
  stay.resolve();
  await vi.waitFor(async () => {
    for await (const { messageResponse } of ask(app.url, [fileOf("byond.v1.VerifyService")])) {
      expect(messageResponse.case).toBe("fileDescriptorResponse");
    }
  }, patience);
});

/** The names of the files that a question is answered with. */
async function filesFor(name: string): Promise<readonly string[]> {
  for await (const { messageResponse } of ask(app.url, [fileOf(name)])) {
    return messageResponse.case === "fileDescriptorResponse"
      ? messageResponse.value.fileDescriptorProto.map((file) => fromBinary(FileDescriptorProtoSchema, file).name)
      : [`error ${messageResponse.case === "errorResponse" ? messageResponse.value.errorCode : "none"}`];
  }
  return [];
}

test.each([
  ["the detail of an error", "byond.v1.ErrorInfo", "byond/v1/error.proto"],
  ["what carries it", "google.rpc.Status", "google/rpc/status.proto"],
  ["reflection itself", "grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"],
  ["a method", "byond.v1.VerifyService.StartVerification", "byond/v1/verify.proto"],
  ["a field", "byond.v1.ErrorInfo.request_id", "byond/v1/error.proto"],
  ["the value of an enum, which is beside it", "byond.v1.CHANNEL_EMAIL", "byond/v1/verify.proto"],
  ["an extension", "byond.v1.access", "byond/v1/access.proto"],
])("reflection knows the file of %s", async (_what, name, file) => {
  expect((await filesFor(name))[0]).toBe(file);
});

test.each(["byond.v1.Nothing", "byond.v1.VerifyService.Nothing", "byond.v1", "ErrorInfo", ""])(
  "reflection answers NOT_FOUND for '%s'",
  async (name) => {
    expect(await filesFor(name)).toEqual([`error ${Code.NotFound}`]);
  },
);

test("reflection distinguishes a message without extensions from an unknown message", async () => {
  const answers: unknown[] = [];
  const numbersOf = (value: string): Question => ({ messageRequest: { case: "allExtensionNumbersOfType", value } });
  const questions = ["byond.v1.ErrorInfo", "byond.v1.Nothing"].map(numbersOf);
  for await (const { messageResponse } of ask(app.url, questions)) {
    answers.push(messageResponse.case);
  }
  expect(answers).toEqual(["allExtensionNumbersResponse", "errorResponse"]);
});

test("reflection also answers under its old name, the only one that older clients know", async () => {
  const client = createClient(ServerReflectionV1Alpha, createGrpcTransport({ baseUrl: app.url }));
  async function* requests() {
    yield { host: "localhost", messageRequest: { case: "listServices", value: "" } } as const;
    yield { messageRequest: { case: "fileContainingSymbol", value: "byond.v1.ErrorInfo" } } as const;
  }
  const answers = await Array.fromAsync(client.serverReflectionInfo(requests()));
  expect(answers[0]).toMatchObject({ validHost: "localhost", originalRequest: { host: "localhost" } });
  expect(answers[0]?.messageResponse.value).toMatchObject({
    service: [
      "byond.v1.ApiKeyService",
      "byond.v1.SuppressionService",
      "byond.v1.GuardService",
      "byond.v1.BalanceService",
      "byond.v1.VerifyService",
      "byond.v1.LookupService",
      "byond.v1.EmailService",
      "byond.v1.AuthService",
      "byond.v1.FixedCodeService",
      "byond.v1.EventService",
      "byond.v1.TemplateService",
      "byond.v1.WebhookService",
      "byond.v1.RecipientService",
      "byond.v1.ReportService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ].map((name) => ({ name })),
  });
  expect(answers[1]?.messageResponse.case).toBe("fileDescriptorResponse");
});

test("both names of reflection share the limits of a source, and the setting", async () => {
  await using other = await startTestApp();
  const abort = new AbortController();
  const stay = Promise.withResolvers<void>();
  for (let count = 0; count < 20; count += 1) {
    const options = { signal: abort.signal, stay: stay.promise };
    await ask(other.url, [fileOf("byond.v1.VerifyService")], options)
      [Symbol.asyncIterator]()
      .next();
  }
  const old = (url: string) => {
    const client = createClient(ServerReflectionV1Alpha, createGrpcTransport({ baseUrl: url }));
    async function* requests() {
      yield { messageRequest: { case: "listServices", value: "" } } as const;
    }
    return client.serverReflectionInfo(requests())[Symbol.asyncIterator]().next();
  };
  await expect(old(other.url)).rejects.toMatchObject({ code: Code.ResourceExhausted });
  abort.abort();
  stay.resolve();
  await using without = await startTestApp({ grpcReflection: "off" });
  await expect(old(without.url)).rejects.toMatchObject({ code: Code.Unimplemented });
});

test("reflection can be switched off", async () => {
  await using other = await startTestApp({ grpcReflection: "off" });
  const answer = ask(other.url, [fileOf("byond.v1.VerifyService")])
    [Symbol.asyncIterator]()
    .next();
  await expect(answer).rejects.toMatchObject({ code: Code.Unimplemented });
  const watch = createClient(Health, createGrpcTransport({ baseUrl: other.url }));
  expect((await watch.check({ service: "" })).status).toBe(Status.SERVING);
});

test("answers of gRPC's own services are not compressed, since they need no credential", async () => {
  const question = toBinary(
    ServerReflectionRequestSchema,
    create(ServerReflectionRequestSchema, fileOf("byond.v1.VerifyService")),
  );
  const headers = {
    ":method": "POST",
    ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "content-type": "application/grpc",
    "grpc-accept-encoding": "gzip,br",
  };
  const { status, body } = await requestHttp2(
    app.url,
    headers,
    Buffer.concat([Buffer.from([0, 0, 0, 0, question.length]), question]),
  );
  expect(status).toBe(200);
  // The flag of the first message: "Compressed-Flag" in gRPC over HTTP/2.
  expect(body.charCodeAt(0)).toBe(0);
  expect(body).toContain("byond/v1/verify.proto");
});

test("a client that disconnects during a stream is not a server error", async () => {
  await using other = await startTestApp();
  const session = connectHttp2(other.url);
  await once(session, "remoteSettings");
  const finished = () => other.logLines.filter((line) => line.includes('"event":"request"')).length;
  for (const path of ["/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]) {
    const before = finished();
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
    stream.on("error", () => undefined);
    stream.write(Buffer.alloc(5));
    // The server has read it by then; it waits for the end of the request, or for the next question.
    await new Promise((resolve) => session.ping(resolve));
    await new Promise((resolve) => session.ping(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(finished()).toBe(before + 1), patience);
  }
  session.destroy();
  await other.app.close();
  expect(other.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
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
