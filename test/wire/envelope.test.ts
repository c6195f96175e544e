/** `Byond-Envelope: true`: REST answers that say in one place whether they are of success. */
import { request as httpRequest } from "node:http";
import { buffer } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import { byteLevelClients, grpcClient, protocolClients, restClient } from "./protocol-clients.ts";

const app = useTestApp();
let session: string;
let key: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "envelope" } });
  key = body.key;
});

const wrapped = { "Byond-Envelope": "true" };
const plainly = { "Byond-Envelope": "false" };

test("the envelope has the answer as its data, with the same status", async () => {
  const plain = await app.rest("GET", "/lookup?number=%2B6591234567", { key });
  expect(plain.status).toBe(200);
  const { status, body, headers } = await app.rest("GET", "/lookup?number=%2B6591234567", { key, headers: wrapped });
  expect(status).toBe(200);
  expect(body).toEqual({ ok: true, data: plain.body });
  expect(Object.keys(body)).toEqual(["ok", "data"]);
  expect(headers.get("Content-Type")).toBe("application/json");
});

test("a creation is still 201, and a list is still an object", async () => {
  const created = await app.rest("POST", "/api-keys", { session, headers: wrapped, body: { name: "wrapped" } });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ ok: true, data: { name: "wrapped", key: expect.stringMatching(/^pk_live_/) } });
  const listed = await app.rest("GET", "/api-keys", { session, headers: wrapped });
  expect(listed.body).toMatchObject({ ok: true, data: { keys: expect.any(Array) } });
});

test("a 204 has no body, and so no envelope", async () => {
  const options = await fetch(`${app.url}/api/v1/lookup`, { method: "OPTIONS", headers: wrapped });
  expect([options.status, await options.text()]).toEqual([204, ""]);
});

describe("an error is a member of the envelope, unchanged", () => {
  test.each([
    [400, "invalid_request", "POST", "/verify/start", { body: [] }],
    [401, "invalid_api_key", "GET", "/lookup?number=1", { key: "pk_live_a.b" }],
    [404, "not_found", "GET", "/nothing", {}],
    [404, "not_found", "GET", "/verify/vrf_0000000000000000000000", {}],
    [405, "method_not_allowed", "PUT", "/lookup", {}],
    [415, "unsupported_media_type", "POST", "/verify/start", { headers: { "Content-Type": "text/plain" }, body: {} }],
    [422, "validation_error", "POST", "/verify/start", { body: { channel: "pigeon", recipient: "a" } }],
    [400, "unknown_version", "GET", "/lookup?number=1", { headers: { "Byond-Version": "1999-12-31" } }],
  ] as const)("%i %s", async (status, code, method, path, call: { key?: string; body?: unknown; headers?: object }) => {
    const ask = (headers: Readonly<Record<string, string>>) =>
      app.rest(method, path, { key, ...call, headers: { ...call.headers, ...headers } });
    const answer = await ask(wrapped);
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body)).toEqual(["ok", "error"]);
    expect(answer.body).toMatchObject({
      ok: false,
      error: { code, request_id: answer.headers.get("X-Request-Id") },
    });
    const plain = await ask({});
    expect(plain.status).toBe(status);
    const { request_id: _id, ...error } = answer.body.error;
    const { request_id: _plainId, ...plainError } = plain.body.error;
    expect(error).toEqual(plainError);
    if (status === 405) {
      expect(answer.headers.get("Allow")).toBe(plain.headers.get("Allow"));
    }
  });

  test("403 and 429, with all their details", async () => {
    const create = async (restrictions: object) =>
      (await app.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } })).body.key;
    const narrow = await create({ scopes: ["lookup"] });
    const body = { channel: "email", recipient: "a@example.com" };
    const refused = await app.rest("POST", "/verify/start", { key: narrow, headers: wrapped, body });
    expect(refused).toMatchObject({
      status: 403,
      body: { ok: false, error: { code: "insufficient_scope", required_scope: "verify" } },
    });
    const slow = await create({ requests_per_minute: 1 });
    await app.rest("GET", "/lookup?number=1", { key: slow });
    const limited = await app.rest("GET", "/lookup?number=1", { key: slow, headers: wrapped });
    expect(limited.status).toBe(429);
    expect(limited.body.error.retry_after).toBe(Number(limited.headers.get("Retry-After")));
  });
});

test.each([["TRUE"], ["True"], ["true"]])("the header's value is case-insensitive: %s", async (value) => {
  const { body } = await app.rest("GET", "/lookup?number=1", { key, headers: { "Byond-Envelope": value } });
  expect(body.ok).toBe(true);
});

test.each([["false"], ["FALSE"]])("false means no envelope: %s", async (value) => {
  const { body } = await app.rest("GET", "/lookup?number=1", { key, headers: { "Byond-Envelope": value } });
  expect(body).toMatchObject({ input: "1" });
});

test.each(protocolClients)("over $name any other value is refused, and nothing happens", async (client) => {
  for (const value of ["maybe", "1", "yes", "", "true, true"]) {
    const recipient = `envelope-${crypto.randomUUID()}@example.com`;
    const call = { key, headers: { "Byond-Envelope": value } };
    const { code, body } = await client.call(app, "StartVerification", { channel: "email", recipient }, call);
    expect({ code, message: body.message }).toEqual({
      code: "invalid_request",
      message: 'The Byond-Envelope header must be "true" or "false".',
    });
    const found = await app.rest("GET", `/verifications?recipient=${recipient}`, { key });
    expect(found.body.verifications).toEqual([]);
  }
});

test("gRPC and Connect ignore the envelope header", async () => {
  const expected = (await restClient.call(app, "LookupNumber", { number: "1" }, { key })).body;
  for (const client of [...byteLevelClients.slice(1), grpcClient]) {
    expect((await client.call(app, "LookupNumber", { number: "1" }, { key, headers: wrapped })).body).toEqual(expected);
  }
});

test("a replayed answer has an envelope if the retry asks for one, not if the first call did", async () => {
  const body = { channel: "email", recipient: "replayed-envelope@example.com" };
  const start = (headers: Readonly<Record<string, string>>) =>
    app.rest("POST", "/verify/start", { key, body, headers: { ...headers, "Idempotency-Key": "enveloped" } });
  const first = await start(wrapped);
  expect(first).toMatchObject({ status: 201, body: { ok: true } });
  const plain = await start(plainly);
  expect(plain.headers.get("Idempotent-Replayed")).toBe("true");
  expect(plain.body).toEqual(first.body.data);
  expect((await start(wrapped)).body).toEqual(first.body);
});

/** Without `fetch`, which decompresses, and hides how long the body is. */
async function ask(path: string, headers: Readonly<Record<string, string>>, method = "GET", credential = {}) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      const options = { method, headers: { "X-API-Key": key, ...credential, ...headers } };
      httpRequest(`${app.url}${path}`, options, (response) => {
        buffer(response).then(
          (body) => resolve({ status: response.statusCode, headers: response.headers, body }),
          reject,
        );
      })
        .on("error", reject)
        .end();
    },
  );
}

describe("together with other features of HTTP", () => {
  const lookup = "/api/v1/lookup?number=%2B6591234567";

  test.each([
    ["gzip", gunzipSync],
    ["br", brotliDecompressSync],
  ] as const)("a long answer is compressed with its envelope: %s", async (encoding, decompress) => {
    for (let index = 0; index < 8; index++) {
      await app.rest("POST", "/api-keys", { session, body: { name: `a key among several, number ${index}` } });
    }
    const answer = await fetchKeys({ ...wrapped, "Accept-Encoding": encoding });
    expect(answer.headers["content-encoding"]).toBe(encoding);
    const content: unknown = JSON.parse(decompress(answer.body).toString());
    const plain = await app.rest("GET", "/api-keys", { session });
    expect(content).toEqual({ ok: true, data: plain.body });
  });

  const fetchKeys = async (headers: Readonly<Record<string, string>>) => {
    const response = await new Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
      httpRequest(
        `${app.url}/api/v1/api-keys`,
        { headers: { Authorization: `Bearer ${session}`, ...headers } },
        (answer) => {
          buffer(answer).then((body) => resolve({ headers: answer.headers, body }), reject);
        },
      )
        .on("error", reject)
        .end();
    });
    return response;
  };

  test("a compressed request is answered in an envelope too", async () => {
    const call = { key, gzip: true, headers: wrapped };
    const { body } = await restClient.call(
      app,
      "StartVerification",
      { channel: "email", recipient: "packed@example.com" },
      call,
    );
    expect(body).toMatchObject({ ok: true, data: { status: "pending" } });
  });

  test("the ETag differs with and without an envelope, and each form gets its own 304", async () => {
    const [plain, enveloped] = [await ask(lookup, {}), await ask(lookup, wrapped)];
    const [plainTag, envelopedTag] = [String(plain.headers.etag), String(enveloped.headers.etag)];
    expect(plainTag).toMatch(/^W\/"/);
    expect(envelopedTag).toMatch(/^W\/"/);
    expect(envelopedTag).not.toBe(plainTag);
    expect((await ask(lookup, { "If-None-Match": plainTag })).status).toBe(304);
    const known = await ask(lookup, { ...wrapped, "If-None-Match": envelopedTag });
    expect({ status: known.status, length: known.body.length, etag: known.headers.etag }).toEqual({
      status: 304,
      length: 0,
      etag: envelopedTag,
    });
    const mistaken = await ask(lookup, { ...wrapped, "If-None-Match": plainTag });
    expect(mistaken.status).toBe(200);
    expect(JSON.parse(mistaken.body.toString()).ok).toBe(true);
    expect((await ask(lookup, { "If-None-Match": envelopedTag })).status).toBe(200);
  });

  test("HEAD tells the length that GET would have, with the envelope and without", async () => {
    for (const headers of [wrapped, plainly]) {
      const got = await ask(lookup, headers);
      const head = await ask(lookup, headers, "HEAD");
      expect(head.status).toBe(200);
      expect(head.body.length).toBe(0);
      expect(head.headers["content-length"]).toBe(String(got.body.length));
      expect(head.headers.etag).toBe(got.headers.etag);
    }
    const refused = await ask(lookup, wrapped, "HEAD", { "X-API-Key": "pk_live_a.b" });
    expect([refused.status, refused.body.length]).toEqual([401, 0]);
  });

  test("caches must revalidate with the ETag, so that they never mix the two forms", async () => {
    for (const headers of [wrapped, plainly]) {
      expect((await ask(lookup, headers)).headers["cache-control"]).toBe("private, no-cache");
    }
  });
});
