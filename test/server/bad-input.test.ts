/** Bad input gets a clear error in the API's form; nothing is stored or sent. */
import { request as httpRequest } from "node:http";
import { connect } from "node:http2";
import { brotliCompressSync, gzipSync } from "node:zlib";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StartVerificationRequestSchema } from "../../gen/byond/v1/verify_pb.ts";
import { useTestApp } from "../support/app.ts";

const app = useTestApp();
let database: pg.Client;
let key: string;
let otherKey: string;
let session: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "bad input" } });
  key = body.key;
  otherKey = await app.mintKey();
  database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database.end();
});

/** All that a refused request could have left behind. */
async function traces(): Promise<unknown> {
  const { rows } = await database.query(`
    SELECT
      (SELECT count(*) FROM verification) AS verifications,
      (SELECT count(*) FROM outbox) AS messages,
      (SELECT count(*) FROM api_key WHERE revoked_at IS NULL) AS active_keys,
      (SELECT count(*) FROM account) AS accounts,
      (SELECT count(*) FROM workspace) AS workspaces,
      (SELECT count(*) FROM throttle WHERE key LIKE 'send:%' OR key LIKE 'guess:%') AS allowances`);
  return { ...rows[0], inbox: (await app.inbox()).length };
}

let before: unknown;
beforeEach(async () => {
  before = await traces();
});
afterEach(async () => {
  expect(await traces()).toEqual(before);
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly error: any;
}

const extras: Readonly<Record<string, string>> = {
  insufficient_scope: "required_scope",
  validation_error: "fields",
  rate_limited: "retry_after",
};

/** Sends a request as it is, and reads an error in the house form. */
async function refused(path: string, { method = "POST", headers = {}, body }: Sent = {}): Promise<Answer> {
  const response = await fetch(`${app.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === "string" ? Buffer.from(body) : Buffer.from(body) }),
  });
  const text = await response.text();
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const json = JSON.parse(text);
  expect(Object.keys(json)).toEqual(["error"]);
  const { error } = json;
  const extra = extras[error.code];
  const expected = ["code", "message", "request_id", "documentation_url", ...(extra === undefined ? [] : [extra])];
  expect(Object.keys(error).sort()).toEqual(expected.sort());
  expect(error.message).toMatch(/^[A-Z].*\.$/);
  expect(error.request_id).toBe(response.headers.get("x-request-id"));
  expect(error.documentation_url).toBe(`${app.url}/docs/errors#${error.code}`);
  // Nothing of the inside: no stack, no path, no SQL.
  expect(text).not.toMatch(/node_modules|\.ts:|SELECT|INSERT|at Object|ECONN/);
  return { status: response.status, headers: response.headers, error };
}

const json = { "Content-Type": "application/json" };
const withKey = () => ({ ...json, "X-API-Key": key });
const withSession = () => ({ ...json, Authorization: `Bearer ${session}` });

const start = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
  refused("/api/v1/verify/start", { headers: { ...withKey(), ...headers }, body });
const startWith = (fields: object) =>
  start(JSON.stringify({ channel: "email", recipient: "ada@example.com", ...fields }));
const mint = (fields: object) =>
  refused("/api/v1/api-keys", { headers: withSession(), body: JSON.stringify({ name: "key", ...fields }) });
const signUp = (fields: object) =>
  refused("/api/v1/auth/sign-up", {
    headers: json,
    body: JSON.stringify({ email: "new@example.com", password: "correct horse battery", name: "Acme", ...fields }),
  });

const valid = '{"channel":"email","recipient":"ada@example.com"}';

const unknownOfStart = `is not a known field; known are: ${StartVerificationRequestSchema.fields.map(({ name }) => name).join(", ")}`;

describe("a body that is not a JSON object gets 400", () => {
  test.each([
    ["no JSON at all", "channel=email&recipient=ada@example.com"],
    ["half an object", '{"channel":"email"'],
    ["a trailing comma", '{"channel":"email",}'],
    ["single quotes", "{'channel':'email'}"],
    ["a comment", `${valid} // please`],
    ["two objects", `${valid}${valid}`],
    ["a raw control character in a string", '{"channel":"email","recipient":"ada\u0000@example.com"}'],
    ["NaN", '{"channel":"email","code_length":NaN}'],
    ["a byte order mark within", `${valid}\ufeff`],
    ["an array", `[${valid}]`],
    ["null", "null"],
    ["a string", '"email"'],
    ["a number", "6"],
    ["true", "true"],
    ["101 levels of arrays", `{"channel":${"[".repeat(101)}${"]".repeat(101)}}`],
    ["thirty thousand levels of arrays", `{"channel":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
    ["ten thousand levels of objects", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["thirty thousand opening brackets", "[".repeat(30_000)],
  ])("%s", async (_what, body) => {
    const { status, error } = await start(body);
    expect({ status, code: error.code }).toEqual({ status: 400, code: "invalid_request" });
  });

  test("bytes that are not UTF-8", async () => {
    const { status, error } = await start(Buffer.from('{"channel":"email","recipient":"\xff@example.com"}', "latin1"));
    expect({ status, code: error.code }).toEqual({ status: 400, code: "invalid_request" });
  });

  test("UTF-16", async () => {
    expect((await start(Buffer.from(valid, "utf16le"))).status).toBe(400);
  });

  test.each(["gzip", "x-gzip", "br"])("invalid %s", async (encoding) => {
    expect((await start("not compressed", { "Content-Encoding": encoding })).status).toBe(400);
  });
});

describe("invalid fields get 422, by name", () => {
  test.each([
    [{ code_length: "six" }, { code_length: "must be an integer" }],
    [{ code_length: "6" }, { code_length: "must be an integer" }],
    [{ code_length: 6.5 }, { code_length: "must be an integer" }],
    [{ code_length: true }, { code_length: "must be an integer" }],
    [{ code_length: [6] }, { code_length: "must be an integer" }],
    [{ code_length: {} }, { code_length: "must be an integer" }],
    [{ code_length: 3 }, { code_length: "must be between 4 and 10" }],
    [{ code_length: 11 }, { code_length: "must be between 4 and 10" }],
    [{ code_length: 0 }, { code_length: "must be between 4 and 10" }],
    [{ ttl_seconds: 29 }, { ttl_seconds: "must be between 30 and 3600" }],
    [{ ttl_seconds: 3601 }, { ttl_seconds: "must be between 30 and 3600" }],
    [{ channel: "fax" }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: "EMAIL" }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: "CHANNEL_EMAIL" }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: "unspecified" }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: 4 }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: ["email"] }, { channel: "must be one of: sms, voice, whatsapp, email" }],
    [{ channel: null }, { channel: "is required" }],
    [{ channel: undefined }, { channel: "is required" }],
    [{ recipient: undefined }, { recipient: "is required" }],
    [{ recipient: "" }, { recipient: "is required" }],
    [{ recipient: 6591234567 }, { recipient: "must be a string" }],
    [{ recipient: {} }, { recipient: "must be a string" }],
    [{ recipient: "ada\0@example.com" }, { recipient: "must not contain the character U+0000" }],
    [{ recipient: "\ud800@example.com" }, { recipient: "must be valid Unicode text" }],
    [{ recipient: "ada@example.com\r\nBcc: eve@example.com" }, { recipient: "must be an email address" }],
    [{ recipient: "ada@example.com,eve@example.com" }, { recipient: "must be an email address" }],
    [{ brand: "Acme\0" }, { brand: "must not contain the character U+0000" }],
    [{ brand: "\udc00Acme" }, { brand: "must be valid Unicode text" }],
    [{ brand: "Acme\r\nBcc: eve@example.com" }, { brand: "must not contain control characters" }],
    [{ brand: 7 }, { brand: "must be a string" }],
    [{ locle: "de" }, { locle: unknownOfStart }],
    [{ codeLength: 6 }, { codeLength: unknownOfStart }],
    [{ Channel: "email" }, { Channel: unknownOfStart }],
    [{ $typeName: "x" }, { $typeName: unknownOfStart }],
    [
      { constructor: {}, toString: 1 },
      { constructor: unknownOfStart, toString: "is not a known field" },
    ],
    [{ "": 1 }, { "": unknownOfStart }],
  ])("%j", async (fields, problems) => {
    const { status, error } = await startWith(fields);
    expect(status).toBe(422);
    expect(error).toMatchObject({ code: "validation_error", message: "One or more fields are invalid." });
    expect(error.fields).toEqual(problems);
  });

  test.each([
    ['{"channel":"email","recipient":"ada@example.com","channel":"email"}', { channel: "must be given once" }],
    [
      '{"channel":"email","recipient":"ada@example.com","recipient":"eve@example.com"}',
      { recipient: "must be given once" },
    ],
    [
      '{"channel":"email","recipient":"ada@example.com","code_length":6,"code\\u005flength":7}',
      { code_length: "must be given once" },
    ],
    [
      '{"channel":"email","recipient":"ada@example.com","code_length":1e999}',
      { code_length: "must be between 4 and 10" },
    ],
    [
      '{"channel":"email","recipient":"ada@example.com","code_length":4294967302}',
      { code_length: "must be between 4 and 10" },
    ],
    ["{}", { channel: "is required", recipient: "is required" }],
    ["", { channel: "is required", recipient: "is required" }],
  ])("%s", async (body, problems) => {
    const { status, error } = await start(body);
    expect(status).toBe(422);
    expect(error.fields).toEqual(problems);
  });

  test("a field called __proto__ is an unknown field, and does no harm", async () => {
    const { status, error } = await start(`{"__proto__":{"channel":"email"},"recipient":"ada@example.com"}`);
    expect(status).toBe(422);
    expect(Object.keys(error.fields).sort()).toEqual(["__proto__", "channel"]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test("all problems are reported together", async () => {
    const body = '{"channel":"fax","code_length":"six","ttl_seconds":1,"brand":"","extra":1}';
    expect((await start(body)).error.fields).toEqual({
      channel: "must be one of: sms, voice, whatsapp, email",
      recipient: "is required",
      code_length: "must be an integer",
      ttl_seconds: "must be between 30 and 3600",
      brand: "must be 1 to 40 characters long",
      extra: unknownOfStart,
    });
  });

  test("a thousand unknown fields do not make an answer larger than the request", async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field_${index}`, 1]));
    const { status, error } = await startWith(fields);
    expect(status).toBe(422);
    expect(Object.keys(error.fields).length).toBeLessThanOrEqual(110);
  });

  test.each([
    [{ name: undefined }, { name: "is required" }],
    [{ name: "" }, { name: "is required" }],
    [{ name: 7 }, { name: "must be a string" }],
    [{ name: "n".repeat(101) }, { name: "must be at most 100 characters" }],
    [{ name: "a\0b" }, { name: "must not contain the character U+0000" }],
    [{ scopes: [] }, { scopes: "must not be empty" }],
    [{ scopes: "verify" }, { scopes: "must be a list" }],
    [{ scopes: {} }, { scopes: "must be a list" }],
    [{ scopes: { scopes: ["verify"] } }, { scopes: "must be a list" }],
    [{ scopes: ["verify", null] }, { "scopes[1]": "must be a string" }],
    [{ scopes: ["verify", 7] }, { "scopes[1]": "must be a string" }],
    [{ scopes: ["verify", "verify"] }, { scopes: "must not name anything twice" }],
    [{ mode: "production" }, { mode: "must be one of: live, test" }],
    [{ mode: 1 }, { mode: "must be one of: live, test" }],
  ])("a key with %j", async (fields, problems) => {
    const { status, error } = await mint(fields);
    expect(status).toBe(422);
    expect(error.fields).toEqual(problems);
  });

  test("an unknown scope of a key is named by its index", async () => {
    const { status, error } = await mint({ scopes: ["verify", "admin"] });
    expect(status).toBe(422);
    expect(Object.keys(error.fields)).toEqual(["scopes[1]"]);
    expect(error.fields["scopes[1]"]).toMatch(/^must be one of: .*verify.*lookup.*\*/);
  });

  test.each([
    [{ email: "nobody" }, { email: "must be an email address" }],
    [{ email: "a@example.com\nBcc: b@example.com" }, { email: "must be an email address" }],
    [{ email: undefined }, { email: "is required" }],
    [{ password: "too short" }, { password: "must be 10 to 128 characters long" }],
    [{ password: "x".repeat(129) }, { password: "must be 10 to 128 characters long" }],
    [{ password: 1234567890 }, { password: "must be a string" }],
    [{ name: "" }, { name: "is required" }],
    [{ name: "n".repeat(101) }, { name: "must be at most 100 characters" }],
    [{ role: "admin" }, { role: "is not a known field; known are: email, password, name" }],
  ])("an account with %j", async (fields, problems) => {
    const { status, error } = await signUp(fields);
    expect(status).toBe(422);
    expect(error.fields).toEqual(problems);
  });
});

describe("a query", () => {
  const get = (path: string, headers: Readonly<Record<string, string>>) => refused(path, { method: "GET", headers });

  test.each([
    ["number=1&number=1", { number: "must be given once" }],
    ["number=1&country=SG&country=SG", { country: "must be given once" }],
    ["number=1&colour=red", { colour: "is not a known field; known are: number, country, fields" }],
    ["number=1&api_key=pk_live_x", { api_key: "is not a known field; known are: number, country, fields" }],
    ["", { number: "is required" }],
    ["number=%00", { number: "must not contain the character U+0000" }],
  ])("?%s gets 422", async (query, problems) => {
    const { status, error } = await get(`/api/v1/lookup?${query}`, { "X-API-Key": key });
    expect(status).toBe(422);
    expect(error.fields).toEqual(problems);
  });

  test.each([
    ["page_size=0", { page_size: "must be between 1 and 1000" }],
    ["page_size=1001", { page_size: "must be between 1 and 1000" }],
    ["page_size=ten", { page_size: "must be an integer" }],
    ["page_size=", { page_size: "must be an integer" }],
    ["page_size=1&page_size=2", { page_size: "must be given once" }],
    ["page_token=nonsense", { page_token: "must be the next_page_token of the page before" }],
    ["include_revoked=yes", { include_revoked: "must be true or false" }],
  ])("of the list of keys, ?%s gets 422", async (query, problems) => {
    const { status, error } = await get(`/api/v1/api-keys?${query}`, { Authorization: `Bearer ${session}` });
    expect(status).toBe(422);
    expect(error.fields).toEqual(problems);
  });

  test("is refused by calls that take their input from the body", async () => {
    const { status, error } = await refused("/api/v1/verify/start?channel=email", { headers: withKey(), body: valid });
    expect(status).toBe(422);
    expect(Object.keys(error.fields)).toEqual(["channel"]);
  });
});

describe("an input that is too large gets 413", () => {
  const megabyte = "x".repeat(1_000_000);

  test("a megabyte in a string, with Content-Length", async () => {
    const { status, error } = await startWith({ brand: megabyte });
    expect({ status, code: error.code }).toEqual({ status: 413, code: "payload_too_large" });
  });

  test("a megabyte of spaces around a valid body", async () => {
    expect((await start(`${valid}${" ".repeat(1_000_000)}`)).status).toBe(413);
  });

  test("a megabyte in chunks, without Content-Length", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = httpRequest(`${app.url}/api/v1/verify/start`, { method: "POST", headers: withKey() }, (response) => {
        resolve(response.statusCode);
        response.resume();
        call.destroy();
      });
      call.on("error", reject);
      call.write('{"channel":"email","recipient":"ada@example.com","brand":"');
      call.end(`${megabyte}"}`);
    });
    expect(status).toBe(413);
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("a megabyte, compressed with %s", async (encoding, compress) => {
    const body = compress(JSON.stringify({ channel: "email", recipient: "ada@example.com", brand: megabyte }));
    expect(body.length).toBeLessThan(10_000);
    expect((await start(body, { "Content-Encoding": encoding })).status).toBe(413);
  });

  test("64 KiB are accepted", async () => {
    const body = JSON.stringify({ channel: "email", recipient: "ada@example.com", brand: "x".repeat(65_000) });
    expect((await start(body)).error.fields).toEqual({ brand: "must be 1 to 40 characters long" });
  });
});

describe("another media type gets 415", () => {
  test.each([
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=iso-8859-1",
    "application/jsonp",
    "text/json",
    "json",
    "application/grpc",
    "application/proto",
  ])("%s", async (type) => {
    const { status, error } = await start(valid, { "Content-Type": type });
    expect({ status, code: error.code }).toEqual({ status: 415, code: "unsupported_media_type" });
    expect(error.message).toContain("application/json");
  });

  test("no media type", async () => {
    const { status } = await refused("/api/v1/verify/start", {
      headers: { "X-API-Key": key },
      body: Buffer.from(valid),
    });
    expect(status).toBe(415);
  });

  test.each(["deflate", "zstd", "gzip, gzip"])(
    "the encoding %s, with the accepted ones in the answer",
    async (encoding) => {
      const { status, headers } = await start(valid, { "Content-Encoding": encoding });
      expect([status, headers.get("accept-encoding")]).toEqual([415, "gzip, br"]);
    },
  );
});

describe("paths and methods", () => {
  test.each([
    "/api",
    "/api/v1",
    "/api/v1/",
    "/api/v1/nothing",
    "/api/v2/lookup",
    "/api/v1/lookup/",
    "/api/v1//lookup",
    "/api/v1/LOOKUP",
    "/lookup",
    "/api/v1/verify/start/now",
    "/api/v1/verify%2Fstart",
    "/api/v1/api-keys/a/b",
    "/byond.v1.VerifyService",
    "/byond.v1.VerifyService/Nothing",
    "/.env",
    "/dev/inbox/",
  ])("%s is unknown: 404", async (path) => {
    const { status, error } = await refused(path, { method: "GET", headers: withKey() });
    expect({ status, code: error.code }).toEqual({ status: 404, code: "not_found" });
  });

  test.each([
    ["GET", "/verify/start", "POST"],
    ["PUT", "/verify/start", "POST"],
    ["DELETE", "/verify/check", "POST"],
    ["POST", "/lookup", "GET, HEAD"],
    ["PATCH", "/lookup", "GET, HEAD"],
    ["PUT", "/api-keys", "GET, HEAD, POST"],
    ["GET", "/auth/sign-in", "POST"],
  ])("%s %s is not allowed: 405, with Allow", async (method, path, allow) => {
    const { status, headers, error } = await refused(`/api/v1${path}`, { method, headers: withKey() });
    expect({ status, code: error.code }).toEqual({ status: 405, code: "method_not_allowed" });
    expect(headers.get("allow")).toBe(allow);
  });

  test("an unknown path or method is reported before a missing credential", async () => {
    expect((await refused("/api/v1/nothing", { method: "GET" })).status).toBe(404);
    expect((await refused("/api/v1/verify/start", { method: "GET" })).status).toBe(405);
  });

  test("an invalid credential is reported before an invalid body", async () => {
    expect((await refused("/api/v1/verify/start", { headers: json, body: "[" })).status).toBe(401);
  });
});

describe("invalid credentials get 401", () => {
  const start401 = async (headers: Readonly<Record<string, string>>) => {
    const { status, error } = await refused("/api/v1/verify/start", { headers: { ...json, ...headers }, body: valid });
    expect({ status, code: error.code }).toEqual({ status: 401, code: "invalid_api_key" });
    return error.message;
  };

  test.each([
    ["none", () => ({})],
    ["an empty key", () => ({ "X-API-Key": "" })],
    ["a made-up key", () => ({ "X-API-Key": "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j" })],
    ["a prefix only", () => ({ "X-API-Key": key.slice(0, key.indexOf(".")) })],
    ["a key with a letter more", () => ({ "X-API-Key": `${key}0` })],
    ["a key with another last letter", () => ({ "X-API-Key": key.slice(0, -1) + (key.endsWith("0") ? "1" : "0") })],
    ["a live key as a test key", () => ({ "X-API-Key": key.replace("pk_live_", "pk_test_") })],
    ["a key in quotes", () => ({ "X-API-Key": `"${key}"` })],
    ["a key with Bearer in X-API-Key", () => ({ "X-API-Key": `Bearer ${key}` })],
    ["a key as Basic", () => ({ Authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` })],
    ["Bearer alone", () => ({ Authorization: "Bearer" })],
    ["a bare key in Authorization", () => ({ Authorization: key })],
    ["a session", () => ({ Authorization: `Bearer ${session}` })],
    ["a session in X-API-Key", () => ({ "X-API-Key": session })],
    ["two keys", () => ({ "X-API-Key": key, Authorization: `Bearer ${otherKey}` })],
    ["two keys in one header", () => ({ "X-API-Key": `${key}, ${otherKey}` })],
    ["a key and a session", () => ({ "X-API-Key": key, Authorization: `Bearer ${session}` })],
    ["a key of ten thousand letters", () => ({ "X-API-Key": `pk_live_${"x".repeat(10_000)}` })],
  ])("%s", async (_what, headers) => {
    await start401(headers());
  });

  test.each([
    ["a key", () => ({ "X-API-Key": key })],
    ["a key as Bearer", () => ({ Authorization: `Bearer ${key}` })],
    ["a token without a signature", () => ({ Authorization: `Bearer ${session.slice(0, session.lastIndexOf("."))}.` })],
    [
      "a token with another signature",
      () => ({ Authorization: `Bearer ${session.slice(0, -4)}${session.endsWith("AAAA") ? "BBBB" : "AAAA"}` }),
    ],
    ["a token with the algorithm none", () => ({ Authorization: `Bearer ${withAlgorithm("none")}` })],
    ["a token of another kind", () => ({ Authorization: "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl" })],
  ])("on the management plane, %s", async (_what, headers) => {
    const { status, error } = await refused("/api/v1/api-keys", {
      headers: { ...json, ...headers() },
      body: '{"name":"key"}',
    });
    expect({ status, code: error.code }).toEqual({ status: 401, code: "invalid_api_key" });
  });

  function withAlgorithm(algorithm: string): string {
    const [, payload] = session.split(".");
    return `${Buffer.from(JSON.stringify({ alg: algorithm, typ: "JWT" })).toString("base64url")}.${payload}.`;
  }

  test("the same key twice is one credential", async () => {
    const headers = { "X-API-Key": key, Authorization: `Bearer ${key}` };
    const response = await fetch(`${app.url}/api/v1/lookup?number=1`, { headers });
    expect(response.status).toBe(200);
  });

  test("a refused key's secret is not repeated in the answer", async () => {
    expect(await start401({ "X-API-Key": `${key}0` })).not.toContain(key.slice(-20));
  });
});

test("a client's own request id is not returned", async () => {
  const response = await fetch(`${app.url}/api/v1/lookup`, { headers: { "X-Request-Id": "req_mine\t<script>" } });
  expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9A-Za-z]{22}$/);
  expect(await response.text()).not.toContain("script");
});

test.each(["no such key", "key_%0d%0aX-Injected:1", "..", "key_%F0%9F%98%80"])(
  "revoking %j is refused, and adds no header",
  async (id) => {
    const path = `/api/v1/api-keys/${id.includes("%") ? id : encodeURIComponent(id)}`;
    const response = await fetch(`${app.url}${path}`, {
      method: "DELETE",
      headers: { Authorization: `Bearer ${session}` },
    });
    expect(response.headers.get("x-injected")).toBeNull();
    expect([400, 404, 405]).toContain(response.status);
  },
);

describe("RPC protocols", () => {
  interface RpcAnswer {
    readonly status: number;
    readonly grpcStatus: string | undefined;
    readonly text: string;
  }

  /** Posts bytes over HTTP/2 as a gRPC client would, and reads status and trailers. */
  async function post(type: string, body: Uint8Array, method = "VerifyService/StartVerification"): Promise<RpcAnswer> {
    const connection = connect(app.url);
    connection.on("error", () => undefined);
    try {
      return await new Promise((resolve, reject) => {
        const stream = connection.request({
          ":method": "POST",
          ":path": `/byond.v1.${method}`,
          "content-type": type,
          te: "trailers",
          "x-api-key": key,
        });
        let status = 0;
        let grpcStatus: string | undefined;
        let text = "";
        const read = (headers: Record<string, unknown>) => {
          if (headers["grpc-status"] !== undefined) grpcStatus = String(headers["grpc-status"]);
        };
        stream.on("response", (headers) => {
          status = Number(headers[":status"]);
          read(headers);
        });
        stream.on("trailers", read);
        stream.setEncoding("utf8");
        stream.on("data", (chunk: string) => {
          text += chunk;
        });
        stream.on("error", reject);
        stream.on("end", () => resolve({ status, grpcStatus, text }));
        stream.end(body);
      });
    } finally {
      connection.destroy();
    }
  }

  function frame(message: Uint8Array, length = message.length, flags = 0): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, message]);
  }

  const channel = [0x08, 0x04];
  const text = (field: number, bytes: number[]) => [field * 8 + 2, bytes.length, ...bytes];

  test.each([
    ["an empty stream", Buffer.alloc(0)],
    ["half a frame", frame(Buffer.from(channel), 200)],
    ["a frame of four gigabytes", frame(Buffer.from(channel), 0xffffffff)],
    ["a compressed frame without an encoding", frame(Buffer.from(channel), 2, 1)],
    ["bytes that are no protobuf", frame(Buffer.from([0xff, 0xff, 0xff, 0xff]))],
    ["a field that ends too early", frame(Buffer.from([...channel, 0x12, 0x7f, 0x61]))],
    ["a text that is not UTF-8", frame(Buffer.from([...channel, ...text(2, [0x61, 0xff, 0xfe])]))],
    ["a recipient with a NUL", frame(Buffer.from([...channel, ...text(2, [...Buffer.from("a\0@example.com")])]))],
    ["two messages", Buffer.concat([frame(Buffer.from(channel)), frame(Buffer.from(channel))])],
    ["groups within groups", frame(Buffer.alloc(20_000, 0x0b))],
  ])("gRPC: %s is a client error", async (_what, body) => {
    const { status, grpcStatus } = await post("application/grpc", body);
    expect(status).toBe(200);
    // INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, and INTERNAL, which gRPC itself prescribes for what cannot be
    // parsed or decompressed: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
    expect(["3", "8", "12", "13"]).toContain(grpcStatus);
  });

  test.each([
    ["no JSON", "nonsense", 400],
    ["an array", "[]", 400],
    ["a wrong type", '{"channel":"CHANNEL_EMAIL","recipient":"ada@example.com","codeLength":"six"}', 400],
    ["an unknown channel", '{"channel":"CHANNEL_FAX","recipient":"ada@example.com"}', 400],
    ["a lone surrogate", '{"channel":"CHANNEL_EMAIL","recipient":"\\ud800@example.com"}', 400],
    ["a NUL", '{"channel":"CHANNEL_EMAIL","recipient":"a\\u0000@example.com"}', 400],
    ["deep nesting", `{"recipient":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, 400],
    ["a megabyte", JSON.stringify({ recipient: "x".repeat(1_000_000) }), 429],
  ])("Connect: %s is a client error", async (_what, body, status) => {
    const answer = await post("application/json", Buffer.from(body));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).code).toMatch(/^(invalid_argument|resource_exhausted)$/);
  });

  test.each(["text/plain", "application/grpc+xml", "application/x-protobuf"])("the type %s gets 415", async (type) => {
    expect((await post(type, Buffer.from("{}"))).status).toBe(415);
  });
});
