import { once } from "node:events";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { beforeAll, describe, expect, test } from "vitest";
import { type ErrorInfo, ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { LookupNumberRequestSchema } from "../../gen/byond/v1/lookup_pb.ts";
import { connectHttp2 } from "../server/port-fixture.ts";
import { useTestApp } from "../support/app.ts";

/** Messages that are none, over the protocols of Connect: refused as everything is, without repeating what was sent. */

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

const secret = "493817";
const noUtf8 = Buffer.from('{"number":"+6591234567\xff"}', "latin1");
const unreadable: readonly (readonly [string, string, string])[] = [
  ["a text", `"${secret}"`, "must be a JSON object"],
  ["a list", `["${secret}"]`, "must be a JSON object"],
  ["null", "null", "must be a JSON object"],
  ["a text without quotes", secret.replace(/^/, "x"), "is not valid JSON"],
  ["JSON that ends too soon", `{"code": "${secret}`, "is not valid JSON"],
  ["two objects", "{}{}", "is not valid JSON"],
  ["two byte order marks", "\ufeff\ufeff{}", "is not valid JSON"],
  ["arrays in arrays", `{"code": ${"[".repeat(200)}${"]".repeat(200)}}`, "is nested more than 100 levels deep"],
];

/** Over REST it is an object without fields. */
const nothing = ["nothing", "", "is not valid JSON"] as const;

async function post(path: string, type: string, body: Uint8Array, headers: Record<string, string> = {}) {
  const answer = await fetch(`${app.url}/byond.v1.${path}`, {
    method: "POST",
    headers: { "Content-Type": type, "X-API-Key": key, ...headers },
    body: Buffer.from(body),
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}

/** The details of an error as Connect writes it. */
function detailOf(body: Buffer): ErrorInfo {
  const { details } = JSON.parse(body.toString());
  return fromBinary(ErrorInfoSchema, base64Decode(details[0].value));
}

function enveloped(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

describe("a message in JSON that cannot be read", () => {
  test.each([...unreadable, nothing])("over Connect: %s", async (_name, text, problem) => {
    for (const [bytes, headers] of [
      [Buffer.from(text), {}],
      [gzipSync(text), { "Content-Encoding": "gzip" }],
    ] as const) {
      const answer = await post("VerifyService/CheckVerification", "application/json", bytes, { ...headers });
      expect(answer.status).toBe(400);
      expect(answer.body.toString()).not.toContain(secret);
      expect(detailOf(answer.body)).toMatchObject({
        code: "invalid_request",
        message: `The request body ${problem}.`,
        requestId: answer.headers.get("x-request-id"),
      });
    }
  });

  test.each(unreadable)("over REST, in the same words: %s", async (_name, text, problem) => {
    const answer = await fetch(`${app.url}/api/v1/verify/check`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": key },
      body: text,
    });
    expect(await answer.json()).toMatchObject({
      error: { code: "invalid_request", message: `The request body ${problem}.` },
    });
  });

  test.each(unreadable)("over gRPC-Web: %s", async (_name, text, problem) => {
    const answer = await post(
      "VerifyService/CheckVerification",
      "application/grpc-web+json",
      enveloped(Buffer.from(text)),
    );
    expect(answer.status).toBe(200);
    const told = answer.body.toString("latin1") + [...answer.headers].join("\n");
    // Percent-encoded, as gRPC's messages are.
    expect(told.replaceAll("%20", " ")).toContain(`The request body ${problem}.`);
    expect(told).toContain("grpc-status-details-bin");
    expect(told).not.toContain(secret);
  });

  test.each([
    ["a number where a text belongs", `{"code": ${secret}}`, "must be a string"],
    ["a field twice", `{"code": "${secret}", "code": "${secret}"}`, "must be given once"],
  ])("is a matter of its fields over Connect, as over REST, where it is one: %s", async (_name, text, problem) => {
    const answer = await post("VerifyService/CheckVerification", "application/json", Buffer.from(text));
    expect(answer.status).toBe(400);
    expect(answer.body.toString()).not.toContain(secret);
    expect(detailOf(answer.body)).toMatchObject({
      code: "validation_error",
      fields: { code: problem, verification_id: "is required" },
    });
  });

  test("over Connect by GET", async () => {
    const query = new URLSearchParams({ encoding: "json", message: `"${secret}"`, connect: "v1" });
    const answer = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber?${query}`, {
      headers: { "X-API-Key": key },
    });
    const body = Buffer.from(await answer.arrayBuffer());
    expect(answer.status).toBe(400);
    expect(body.toString()).not.toContain(secret);
    expect(detailOf(body).code).toBe("invalid_request");
  });
});

/** An answer to a lookup by GET. */
async function lookUpByGet(query: string) {
  const answer = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber?${query}`, {
    headers: { "X-API-Key": key },
  });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
}

describe("an invalid query of a Connect GET is a client error", () => {
  test.each([
    ["base64 with a character that it does not have", "encoding=json&base64=1&message=e30*", "cannot be read as"],
    ["base64 that ends too soon", "encoding=proto&base64=1&message=A", "cannot be read as"],
    [
      "base64 of compressed bytes that are none",
      "encoding=proto&base64=1&compression=gzip&message=***",
      "cannot be read as",
    ],
    [
      "bytes that are no UTF-8",
      "encoding=json&message=%7B%22number%22%3A%22%2B6591234567%FF%22%7D",
      "not percent-encoded UTF-8",
    ],
    [
      "a percent sign without digits",
      "encoding=json&message=%7B%22number%22%3A%22%zz%22%7D",
      "not percent-encoded UTF-8",
    ],
    [
      "base64 of bytes that are no UTF-8",
      `encoding=json&base64=1&message=${noUtf8.toString("base64url")}`,
      "not UTF-8",
    ],
  ])("%s", async (_name, query, problem) => {
    const { status, body } = await lookUpByGet(`connect=v1&${query}`);
    expect([status, JSON.parse(body.toString()).code]).toEqual([400, "invalid_argument"]);
    expect(detailOf(body)).toMatchObject({ code: "invalid_request", message: expect.stringContaining(problem) });
  });
});

describe("JSON that is not UTF-8 is refused, not repaired", () => {
  test.each([
    ["as it is", noUtf8, {}],
    ["compressed", gzipSync(noUtf8), { "Content-Encoding": "gzip" }],
  ] as const)("over Connect: %s", async (_name, bytes, headers) => {
    const answer = await post("LookupService/LookupNumber", "application/json", bytes, { ...headers });
    expect(answer.status).toBe(400);
    expect(detailOf(answer.body)).toMatchObject({
      code: "invalid_request",
      message: "The request body is not valid UTF-8.",
    });
  });

  test("over gRPC-Web", async () => {
    const answer = await post("LookupService/LookupNumber", "application/grpc-web+json", enveloped(noUtf8));
    const told = answer.body.toString("latin1") + [...answer.headers].join("\n");
    expect(told).toMatch(/grpc-status\W+3\b/);
    expect(told.replaceAll("%20", " ")).toContain("The request body is not valid UTF-8.");
  });

  test("in a name of a new key: nothing is made", async () => {
    const { session } = await app.signUp();
    const answer = await fetch(`${app.url}/byond.v1.ApiKeyService/CreateApiKey`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${session}` },
      body: Buffer.from('{"name":"caf\xe9"}', "latin1"),
    });
    expect(answer.status).toBe(400);
    const { body } = await app.rest("GET", "/api-keys", { session });
    expect(body.keys).toEqual([]);
  });

  test("to gRPC's own services", async () => {
    const answer = await fetch(`${app.url}/grpc.health.v1.Health/Check`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: Buffer.from('{"service":"\xff"}', "latin1"),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid_argument" });
  });
});

test("half of a surrogate pair is refused, however it is written", async () => {
  const answer = await post("LookupService/LookupNumber", "application/json", Buffer.from('{"number":"\\ud800"}'));
  expect(answer.status).toBe(400);
  expect(detailOf(answer.body).code).toBe("validation_error");
});

test("a string in a binary message that is not UTF-8 is refused", async () => {
  const answer = await post("LookupService/LookupNumber", "application/proto", Buffer.from([0x0a, 0x01, 0xff]));
  expect(answer.status).toBe(400);
  expect(detailOf(answer.body).code).toBe("invalid_request");
});

test("a malformed binary message is a client error, not a server error", async () => {
  const answer = await post("VerifyService/CheckVerification", "application/proto", Buffer.from([0x0a, 0xff]));
  expect(answer.status).toBe(400);
  expect(detailOf(answer.body)).toMatchObject({ code: "invalid_request" });
});

test("a message that is too large after decompression is refused as too large", async () => {
  const bytes = gzipSync(JSON.stringify({ code: "1".repeat(100_000) }));
  const answer = await post("VerifyService/CheckVerification", "application/json", bytes, {
    "Content-Encoding": "gzip",
  });
  expect(detailOf(answer.body)).toMatchObject({ code: "payload_too_large" });
});

test("an unauthorized caller learns that, and not what is wrong with the message", async () => {
  const answer = await post("VerifyService/CheckVerification", "application/json", Buffer.from("x"), {
    "X-API-Key": "pk_no",
  });
  expect(answer.status).toBe(401);
  expect(detailOf(answer.body)).toMatchObject({ code: "invalid_api_key" });
});

test("valid messages are accepted: compressed, by GET, enveloped", async () => {
  const number = "+6591234567";
  const message = fromJson(LookupNumberRequestSchema, { number });
  const json = Buffer.from(JSON.stringify({ number }));
  const binary = toBinary(LookupNumberRequestSchema, message);
  for (const [type, bytes, headers] of [
    ["application/json", json, {}],
    ["application/json", gzipSync(json), { "Content-Encoding": "gzip" }],
    ["application/json; charset=utf-8", json, {}],
    ["application/proto", binary, {}],
    ["application/grpc-web+json", enveloped(json), {}],
    ["application/grpc-web+proto", enveloped(binary), {}],
    ["application/grpc-web", enveloped(binary), {}],
  ] as const) {
    const answer = await post("LookupService/LookupNumber", type, bytes, { ...headers });
    expect([type, answer.status, answer.body.includes("Singapore")]).toEqual([type, 200, true]);
  }
  for (const query of [
    { encoding: "json", message: json.toString() },
    { encoding: "proto", base64: "1", message: Buffer.from(binary).toString("base64url") },
    { encoding: "json", base64: "1", compression: "gzip", message: gzipSync(json).toString("base64url") },
  ]) {
    const parameters = new URLSearchParams({ ...query, connect: "v1" });
    const answer = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber?${parameters}`, {
      headers: { "X-API-Key": key },
    });
    expect([query, answer.status, (await answer.text()).includes("Singapore")]).toEqual([query, 200, true]);
  }
});

describe("bytes after the end of a compressed message are refused", () => {
  const lookup = Buffer.from('{"number":"+6591234567"}');
  const verification = Buffer.from('{"channel":"email","recipient":"ada@example.com"}');
  const behind = Buffer.from("behind");
  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("%s", async (coding, compress) => {
    const compressed = compress(lookup);
    const encoded = { "Content-Encoding": coding };
    expect(await post("LookupService/LookupNumber", "application/json", compressed, encoded)).toMatchObject({
      status: 200,
    });
    const answer = await post(
      "LookupService/LookupNumber",
      "application/json",
      Buffer.concat([compressed, behind]),
      encoded,
    );
    expect(detailOf(answer.body)).toMatchObject({ message: `The message is not compressed as it says: ${coding}.` });
    const large = await post("LookupService/LookupNumber", "application/json", compress(Buffer.alloc(70_000)), encoded);
    expect(detailOf(large.body)).toMatchObject({ code: "payload_too_large" });
    const rest = await fetch(`${app.url}/api/v1/verify/start`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": key, ...encoded },
      body: Buffer.concat([compress(verification), behind]),
    });
    expect(await rest.json()).toMatchObject({
      error: { message: `The request body is not compressed as it says: ${coding}.` },
    });
  });
});

describe("a malformed gRPC frame is refused with our error", () => {
  const lookup = Buffer.from('{"number":"+6591234567"}');
  const frame = enveloped(lookup);
  const flagged = (flags: number, bytes: Uint8Array = frame) =>
    Buffer.concat([Buffer.from([flags]), bytes.subarray(1)]);
  const announcing = (length: number) => {
    const prefix = Buffer.alloc(6);
    prefix.writeUInt32BE(length, 1);
    return prefix;
  };
  test.each([
    ["half of a prefix", frame.subarray(0, 3), 3, "The message ends before the length that its frame gives."],
    ["half of a message", frame.subarray(0, 12), 3, "The message ends before the length that its frame gives."],
    ["two", Buffer.concat([frame, frame]), 12, "The call has more than one message."],
    ["one and a half", Buffer.concat([frame, frame.subarray(0, 12)]), 12, "The call has more than one message."],
    ["none", Buffer.alloc(0), 12, "The call has no message."],
    ["an unknown flag", flagged(2), 3, "The frame of the message has flags that are not known."],
    ["the flag of trailers", flagged(0x80), 3, "The frame of the message has flags that are not known."],
    ["four gigabytes announced", announcing(0xffffffff), 8, "The message must not be larger than 65536 bytes."],
    [
      "what becomes too large",
      flagged(1, enveloped(gzipSync(Buffer.alloc(70_000)))),
      8,
      "The message must not be larger than 65536 bytes.",
    ],
  ])("%s", async (_name, body, status, message) => {
    for (const [method, headers] of [
      ["byond.v1.LookupService/LookupNumber", { "x-api-key": key }],
      ["grpc.health.v1.Health/Check", {}],
    ] as const) {
      const session = connectHttp2(app.url);
      const path = { ":method": "POST", ":path": `/${method}` };
      const stream = session.request({
        ...path,
        "content-type": "application/grpc+json",
        "grpc-encoding": "gzip",
        ...headers,
      });
      const trailers = once(stream, "trailers");
      stream.resume();
      stream.end(body);
      const [told] = await trailers;
      const details = Buffer.from(String(Object(told)["grpc-status-details-bin"]), "base64").toString("latin1");
      expect({
        status: Object(told)["grpc-status"],
        message: decodeURIComponent(Object(told)["grpc-message"]),
      }).toEqual({ status: String(status), message });
      expect(details).toContain(status === 8 ? "payload_too_large" : "invalid_request");
      session.destroy();
    }
  });
});
