/** How a request to an RPC path says what it is, and what the path says to a client that does not speak its protocols. */
import { brotliCompressSync, gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { connectHttp2, readAnswer } from "../server/port-fixture.ts";
import { startTestApp, useTestApp } from "../support/app.ts";

const app = useTestApp({ grpcReflection: "off" });
beforeAll(async () => {
  key = await app.mintKey();
});

let key: string;

const lookUp = "/byond.v1.LookupService/LookupNumber";
const start = "/byond.v1.VerifyService/StartVerification";
const watch = "/grpc.health.v1.Health/Watch";

test.each([
  ["PUT", lookUp, "GET, POST"],
  ["HEAD", lookUp, "GET, POST"],
  ["OPTIONS", lookUp, "GET, POST"],
  ["GET", start, "POST"],
  ["DELETE", start, "POST"],
  ["GET", watch, "POST"],
])("%s %s gets 405, with the methods that are allowed", async (method, path, allow) => {
  const answer = await fetch(`${app.url}${path}`, { method });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
  await expectRefusal(answer, method, { code: "unimplemented", detail: "method_not_allowed" });
});

const grpcTypes = [
  "application/grpc, application/grpc+json, application/grpc+proto",
  "application/grpc-web, application/grpc-web+json, application/grpc-web+proto",
].join(", ");

test.each([
  [lookUp, "text/plain", `application/json, application/proto, ${grpcTypes}`],
  [start, "application/x-www-form-urlencoded", `application/json, application/proto, ${grpcTypes}`],
  [start, "application/connect+json", `application/json, application/proto, ${grpcTypes}`],
  [watch, "application/json", `application/connect+json, application/connect+proto, ${grpcTypes}`],
])("%s gets 415 for %s, with the media types that it takes", async (path, type, acceptPost) => {
  const headers = { "Content-Type": type };
  const answer = await fetch(`${app.url}${path}`, { method: "POST", headers, body: "x" });
  expect([answer.status, answer.headers.get("accept-post")]).toEqual([415, acceptPost]);
  await expectRefusal(answer, "POST", { code: "invalid_argument", detail: "unsupported_media_type" });
});

test("a bidirectional stream over HTTP/1.1 gets 505 with an explanation", async () => {
  await using reflecting = await startTestApp({ grpcReflection: "on" });
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const headers = { "Content-Type": "application/connect+json" };
  const answer = await fetch(`${reflecting.url}${path}`, { method: "POST", headers, body: "" });
  expect(answer.status).toBe(505);
  await expectRefusal(answer, "POST", { code: "invalid_argument", detail: "invalid_request" });
});

/** An error in Connect's JSON, with the house's as its detail. */
async function expectRefusal(answer: Response, method: string, expected: { code: string; detail: string }) {
  const text = await answer.text();
  expect(answer.headers.get("content-type")).toBe("application/json");
  if (method === "HEAD") {
    expect(text).toBe("");
    return;
  }
  const { code, message, details } = JSON.parse(text);
  expect({ code, detail: details[0].debug.code }).toEqual(expected);
  expect(message).toMatch(/^[A-Z].*\.$/);
  expect(details[0].debug.requestId).toBe(answer.headers.get("x-request-id"));
}

const json = Buffer.from('{"number":"+6591234567"}');
const binary = Buffer.from("\n\x0b+6591234567");

function frame(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface RpcAnswer {
  readonly status: number | undefined;
  /** Of gRPC and gRPC-Web. */
  readonly grpcStatus: string | undefined;
  /** Headers and trailers. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Calls over HTTP/2, with headers as they are given. */
async function call(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<RpcAnswer> {
  const session = connectHttp2(app.url);
  const stream = session.request({ ":method": "POST", ":path": path, "x-api-key": key, ...headers });
  let received: Record<string, unknown> = {};
  for (const event of ["response", "trailers"]) {
    stream.on(event, (more: Record<string, unknown>) => {
      received = { ...received, ...more };
    });
  }
  stream.end(body);
  const answer = await readAnswer(stream);
  session.destroy();
  const grpcStatus = received["grpc-status"] ?? /grpc-status: (\d+)/.exec(answer.body)?.[1];
  return { ...answer, headers: received, grpcStatus: grpcStatus === undefined ? undefined : String(grpcStatus) };
}

describe("equivalent spellings of a media type are accepted", () => {
  test.each([
    ["application/json", json],
    ["Application/JSON", json],
    ['application/json; charset="utf-8"', json],
    ["application/json ;  charset=UTF-8", json],
    ["application/json;", json],
    ["application/json; version=1; charset=utf8", json],
    ["application/proto; charset=utf-8", binary],
    ["APPLICATION/PROTO ; a=b", binary],
  ])("Connect: %s", async (type, body) => {
    expect((await call(lookUp, { "content-type": type }, body)).status).toBe(200);
  });

  test.each([
    ["application/grpc; charset=utf-8", binary],
    ["Application/gRPC+Proto ;a=b", binary],
    ['application/grpc+json; charset="utf-8"', json],
    ["application/grpc-web;a=b", binary],
    ["Application/gRPC-Web+JSON ; charset=UTF-8", json],
  ])("gRPC and gRPC-Web: %s", async (type, body) => {
    expect((await call(lookUp, { "content-type": type }, frame(body))).grpcStatus).toBe("0");
  });

  test.each(['application/connect+json ; charset="utf-8"', "Application/Connect+JSON;"])(
    "a stream of Connect: %s",
    async (type) => {
      const headers = { "content-type": type, "connect-timeout-ms": "200" };
      expect((await call(watch, headers, frame(Buffer.from("{}")))).body).toContain("SERVING");
    },
  );

  test.each([
    "application/json; charset=utf-16",
    "application/json; charset",
    'application/json; charset="utf-8',
    "application/json; charset=utf-8; charset=utf-16",
    "application/json, application/json",
    "application/proto+json",
  ])("but not %s", async (type) => {
    expect((await call(lookUp, { "content-type": type }, json)).status).toBe(415);
  });
});

describe("equivalent spellings of an encoding are accepted", () => {
  const encodings = [
    ["gzip", gzipSync],
    ["GZIP", gzipSync],
    ["x-gzip", gzipSync],
    ["identity, gzip", gzipSync],
    ["br", brotliCompressSync],
    ["Br", brotliCompressSync],
    ["identity", Buffer.from],
    ["Identity", Buffer.from],
    [",", Buffer.from],
  ] as const;

  test.each(encodings)("Connect: %s", async (encoding, encode) => {
    const headers = { "content-type": "application/json", "content-encoding": encoding };
    expect((await call(lookUp, headers, encode(json))).status).toBe(200);
  });

  test.each(encodings)("gRPC and gRPC-Web: %s", async (encoding, encode) => {
    const body = frame(encode(binary), encode === Buffer.from ? 0 : 1);
    for (const type of ["application/grpc", "application/grpc-web"]) {
      const headers = { "content-type": type, "grpc-encoding": encoding };
      expect((await call(lookUp, headers, body)).grpcStatus).toBe("0");
    }
  });

  test.each(encodings)("a stream of Connect: %s", async (encoding, encode) => {
    const headers = { "content-type": "application/connect+json", "connect-content-encoding": encoding };
    const body = frame(encode(Buffer.from("{}")), encode === Buffer.from ? 0 : 1);
    const answer = await call(watch, { ...headers, "connect-timeout-ms": "200" }, body);
    expect(answer.body).toContain("SERVING");
  });
});

describe("an unknown encoding is unimplemented, and the answer lists the known ones", () => {
  const check = "/grpc.health.v1.Health/Check";
  const encodings = ["deflate", "snappy", "gzip, gzip", "gzip;q=1"];

  test.each(encodings)("Connect: %s", async (encoding) => {
    const headers = { "content-type": "application/json", "content-encoding": encoding };
    for (const path of [lookUp, check]) {
      const { status, headers: answered, body } = await call(path, headers, json);
      expect([status, answered["accept-encoding"]]).toEqual([501, "gzip,br"]);
      expect(JSON.parse(body)).toMatchObject({
        code: "unimplemented",
        details: [{ debug: { code: "unsupported_media_type" } }],
      });
    }
  });

  test.each(encodings)("gRPC and gRPC-Web: %s", async (encoding) => {
    for (const type of ["application/grpc", "application/grpc-web"]) {
      for (const path of [lookUp, check, watch]) {
        const headers = { "content-type": type, "grpc-encoding": encoding };
        const { grpcStatus, headers: answered } = await call(path, headers, frame(binary));
        expect([grpcStatus, answered["grpc-accept-encoding"]]).toEqual(["12", "gzip,br"]);
      }
    }
  });

  test.each(encodings)("a stream of Connect: %s", async (encoding) => {
    const headers = { "content-type": "application/connect+json", "connect-content-encoding": encoding };
    const { headers: answered, body } = await call(watch, headers, frame(Buffer.from("{}")));
    expect(answered["connect-accept-encoding"]).toBe("gzip,br");
    expect(body).toContain('"code":"unimplemented"');
  });

  test("a call by GET", async () => {
    const query = `encoding=json&message=${encodeURIComponent(String(json))}&compression=zstd`;
    const answer = await fetch(`${app.url}${lookUp}?${query}`, { headers: { "X-API-Key": key } });
    expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([501, "gzip,br"]);
  });

  test("a missing credential is reported first", async () => {
    const headers = { "content-type": "application/grpc", "grpc-encoding": "snappy", "x-api-key": "" };
    expect((await call(lookUp, headers, frame(binary))).grpcStatus).toBe("16");
  });
});

test.each(["identity", ""])(
  "a message flagged as compressed, with the grpc-encoding %j, is internal (gRPC Compression, test case 6)",
  async (encoding) => {
    for (const type of ["application/grpc", "application/grpc-web"]) {
      const headers = { "content-type": type, "grpc-encoding": encoding };
      expect((await call(lookUp, headers, frame(binary, 1))).grpcStatus).toBe("13");
    }
  },
);

describe("Connect's protocol has one version", () => {
  const get = async (more: string) => {
    const query = `encoding=json&message=${encodeURIComponent(String(json))}${more}`;
    const answer = await fetch(`${app.url}${lookUp}?${query}`, { headers: { "X-API-Key": key } });
    const { details } = JSON.parse(await answer.text());
    return [answer.status, details?.[0].debug.code];
  };

  test.each(["", "&connect=v1", "&connect="])("a call by GET with %j is answered", async (more) => {
    expect(await get(more)).toEqual([200, undefined]);
  });

  test.each(["&connect=v2", "&connect=1", "&connect=V1"])("a call by GET with %j is invalid", async (more) => {
    expect(await get(more)).toEqual([400, "invalid_request"]);
  });

  test.each(["&connect=v1&connect=v2", "&message=%7B%7D", "&colour=red"])(
    "a call by GET with %j has an unknown or repeated parameter",
    async (more) => {
      expect(await get(more)).toEqual([400, "validation_error"]);
    },
  );

  test.each([
    ["1", 200],
    ["2", 400],
    ["v1", 400],
  ])("a call with Connect-Protocol-Version: %s is %i", async (version, status) => {
    const headers = { "content-type": "application/json", "connect-protocol-version": version };
    expect((await call(lookUp, headers, json)).status).toBe(status);
  });
});

test.each([
  ["application/json", "connect-timeout-ms", "soon"],
  ["application/json", "connect-timeout-ms", "-1"],
  ["application/json", "connect-timeout-ms", ""],
  ["application/json", "connect-timeout-ms", "99999999999"],
  ["application/grpc", "grpc-timeout", "5"],
  ["application/grpc", "grpc-timeout", "5s"],
  ["application/grpc", "grpc-timeout", "999999999S"],
  ["application/grpc-web", "grpc-timeout", ""],
])("%s with %s: %j is invalid, and says so in the house's form", async (type, name, value) => {
  const body = type === "application/json" ? json : frame(binary);
  const { headers, body: text } = await call(lookUp, { "content-type": type, [name]: value }, body);
  const answer = type === "application/json" ? text : `${headers["grpc-message"] ?? text}`;
  expect(decodeURIComponent(answer)).toMatch(/The header (Connect-Timeout-Ms|grpc-timeout) must be/);
});

describe("a gRPC call of an unknown RPC is UNIMPLEMENTED", () => {
  const paths = ["/byond.v1.VerifyService/Nothing", "/nobody.v1.Service/Method", "/", "/api/v1/nothing"];

  test.each([
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "Application/gRPC-Web",
  ])("to a client that sends %s", async (type) => {
    for (const path of paths) {
      const headers = { "Content-Type": type };
      const answer = await fetch(`${app.url}${path}`, { method: "POST", headers, body: Buffer.alloc(5) });
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-type": type,
        "grpc-status": "12",
        "grpc-message": "There%20is%20no%20such%20RPC.",
        "x-request-id": expect.stringMatching(/^req_/),
      });
    }
  });

  test.each(["application/grpc", "application/grpc+proto", "Application/gRPC"])(
    "to a client that sends %s",
    async (type) => {
      for (const path of paths) {
        const session = connectHttp2(app.url);
        const stream = session.request({ ":method": "POST", ":path": path, "content-type": type });
        let trailers: Record<string, unknown> = {};
        stream.on("trailers", (received) => {
          trailers = received;
        });
        stream.end(Buffer.alloc(5));
        expect(await readAnswer(stream)).toMatchObject({ status: 200, body: "" });
        expect(trailers).toMatchObject({ "grpc-status": "12", "grpc-message": "There%20is%20no%20such%20RPC." });
        session.destroy();
      }
    },
  );

  test.each([
    ["gRPC", createGrpcTransport],
    ["gRPC-Web", (options: { baseUrl: string }) => createGrpcWebTransport({ ...options, httpVersion: "2" })],
  ] as const)("to a real client of %s, with the request's id in the error", async (_name, createTransport) => {
    const client = createClient(ServerReflection, createTransport({ baseUrl: app.url }));
    const error = await client
      .serverReflectionInfo((async function* () {})())
      [Symbol.asyncIterator]()
      .next()
      .catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.Unimplemented });
    expect(error instanceof ConnectError && error.findDetails(ErrorInfoSchema)).toMatchObject([{ code: "not_found" }]);
  });

  test("not to a client of another protocol, or of REST", async () => {
    for (const type of ["application/json", "application/grpcx", "application/proto"]) {
      const headers = { "Content-Type": type };
      const answer = await fetch(`${app.url}/byond.v1.VerifyService/Nothing`, { method: "POST", headers, body: "{}" });
      expect(answer.status).toBe(404);
    }
    const headers = { "Content-Type": "application/grpc" };
    const path = `${app.url}/api/v1/verify/start`;
    expect((await fetch(path, { method: "PUT", headers, body: Buffer.alloc(5) })).status).toBe(405);
    expect((await fetch(path, { method: "POST", headers, body: Buffer.alloc(5) })).status).toBe(401);
  });
});
