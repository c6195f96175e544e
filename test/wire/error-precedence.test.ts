/**
 * A request that breaks several rules is told of the first in this order: route, credential, access, quota, body, fields.
 * So nobody learns from a refusal what they may not know, and nothing is read that need not be.
 */
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import { type HeaderFields, type Input, type ProtocolCall, protocolClients, type RpcName } from "./protocol-clients.ts";

const app = useTestApp();
let session: string;
/** By what is wrong with them. */
let keys: Readonly<Record<"right" | "wrong" | "narrow" | "elsewhere" | "usedUp" | "narrowAndUsedUp", string>>;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const mint = async (restrictions: object): Promise<string> =>
    (await app.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } })).body.key;
  const right = await mint({});
  keys = {
    right,
    wrong: `${right.slice(0, -1)}${right.endsWith("0") ? "1" : "0"}`,
    narrow: await mint({ scopes: ["lookup"] }),
    elsewhere: await mint({ ip_allowlist: ["192.0.2.1"], scopes: ["lookup"] }),
    usedUp: await mint({ requests_per_minute: 1 }),
    narrowAndUsedUp: await mint({ requests_per_minute: 1, scopes: ["lookup"] }),
  };
  for (const key of [keys.usedUp, keys.narrowAndUsedUp]) {
    expect((await app.rest("GET", "/lookup?number=1", { key })).status).toBe(200);
  }
});

type KeyName = keyof typeof keys;

/** One fault of a request after the other, in the order in which they are told. */
interface Faults {
  readonly key?: KeyName | "none" | "two";
  readonly signature?: "wrong";
  readonly version?: "unknown";
  readonly envelope?: "maybe";
  readonly idempotencyKey?: "malformed";
  readonly fields?: "wrong";
}

function headersOf(faults: Faults): HeaderFields {
  return {
    ...(faults.key === "two" ? { Authorization: `Bearer ${keys.narrow}` } : {}),
    ...(faults.signature === undefined ? {} : { "Byond-Signature": `t=${Date.now()},v1=${"0".repeat(64)}` }),
    ...(faults.version === undefined ? {} : { "Byond-Version": "1999-12-31" }),
    ...(faults.envelope === undefined ? {} : { "Byond-Envelope": "maybe" }),
    ...(faults.idempotencyKey === undefined ? {} : { "Idempotency-Key": '"' }),
  };
}

function keyOf({ key = "right" }: Faults): { readonly key?: string } {
  return key === "none" ? {} : { key: key === "two" ? keys.right : keys[key] };
}

const startInput = ({ fields }: Faults): Input => ({
  channel: "email",
  recipient: fields === undefined ? "a@example.com" : "nobody",
});

describe.each(protocolClients)("over $name", (client) => {
  const rpc: RpcName = "StartVerification";
  test.each<[string, Faults]>([
    ["invalid_api_key", { key: "none", signature: "wrong" }],
    ["invalid_api_key", { key: "none", version: "unknown" }],
    ["invalid_api_key", { key: "none", envelope: "maybe" }],
    ["invalid_api_key", { key: "none", idempotencyKey: "malformed" }],
    ["invalid_api_key", { key: "none", fields: "wrong" }],
    ["invalid_api_key", { key: "wrong", signature: "wrong" }],
    ["invalid_api_key", { key: "wrong", fields: "wrong" }],
    ["invalid_api_key", { key: "two", signature: "wrong" }],
    ["invalid_api_key", { key: "two", fields: "wrong" }],
    ["signature_invalid", { key: "elsewhere", signature: "wrong" }],
    ["signature_invalid", { key: "narrow", signature: "wrong" }],
    ["signature_invalid", { key: "usedUp", signature: "wrong" }],
    ["signature_invalid", { signature: "wrong", version: "unknown" }],
    ["signature_invalid", { signature: "wrong", fields: "wrong" }],
    // From the wrong address, and without the scope: what the key may do is not told to who may not use it there.
    ["ip_not_allowed", { key: "elsewhere" }],
    ["ip_not_allowed", { key: "elsewhere", version: "unknown" }],
    ["ip_not_allowed", { key: "elsewhere", fields: "wrong" }],
    ["insufficient_scope", { key: "narrowAndUsedUp" }],
    ["insufficient_scope", { key: "narrow", version: "unknown" }],
    ["insufficient_scope", { key: "narrow", envelope: "maybe" }],
    ["insufficient_scope", { key: "narrow", idempotencyKey: "malformed" }],
    ["insufficient_scope", { key: "narrow", fields: "wrong" }],
    ["rate_limited", { key: "usedUp", version: "unknown" }],
    ["rate_limited", { key: "usedUp", envelope: "maybe" }],
    ["rate_limited", { key: "usedUp", idempotencyKey: "malformed" }],
    ["rate_limited", { key: "usedUp", fields: "wrong" }],
    ["unknown_version", { version: "unknown", envelope: "maybe" }],
    ["unknown_version", { version: "unknown", idempotencyKey: "malformed" }],
    ["unknown_version", { version: "unknown", fields: "wrong" }],
    ["invalid_request", { envelope: "maybe", fields: "wrong" }],
    ["invalid_request", { idempotencyKey: "malformed", fields: "wrong" }],
    ["validation_error", { fields: "wrong" }],
  ])("%s is told of %j", async (code, faults) => {
    const call: ProtocolCall = { ...keyOf(faults), headers: headersOf(faults) };
    expect((await client.call(app, rpc, startInput(faults), call)).code).toBe(code);
  });

  test("a credential of the wrong kind is refused before faults of the request", async () => {
    const wrong = await client.call(app, rpc, startInput({ fields: "wrong" }), { session });
    expect(wrong.code).toBe("invalid_api_key");
    expect((await client.call(app, "CreateApiKey", { name: "" }, { key: keys.right })).code).toBe("invalid_api_key");
  });
});

const json = { "Content-Type": "application/json" };
const text = { "Content-Type": "text/plain" };
const unknownVersion = { "Byond-Version": "1999-12-31" };
const valid = '{"channel":"email","recipient":"a@example.com"}';
const invalid = '{"channel":"pigeon","recipient":""}';
const malformed = '{"channel":';
const huge = " ".repeat(65_537);

/** What only requests with a body of their own can break: path, method, and the body itself. */
describe("over REST", () => {
  test.each<[number, string, KeyName | undefined, string, string, HeaderFields, string | undefined]>([
    // route
    [404, "an unknown path, no key", undefined, "POST", "/nothing", json, valid],
    [
      404,
      "an unknown path, a version, and a body that is none",
      "wrong",
      "POST",
      "/nothing",
      unknownVersion,
      malformed,
    ],
    [405, "another method, no key", undefined, "PUT", "/verify/start", json, valid],
    [405, "another method, a key used up", "usedUp", "PATCH", "/verify/start", json, malformed],
    [405, "another method, a body that is too large", "right", "DELETE", "/lookup", json, huge],
    // credential
    [401, "no key, a body that is none", undefined, "POST", "/verify/start", json, malformed],
    [401, "no key, a body that is too large", undefined, "POST", "/verify/start", json, huge],
    [401, "no key, another media type", undefined, "POST", "/verify/start", text, valid],
    [401, "a wrong key, unknown parameters", "wrong", "GET", "/lookup?what=1", {}, undefined],
    [401, "no key, nothing acceptable", undefined, "GET", "/lookup?number=1", { Accept: "image/png" }, undefined],
    // access
    [403, "no scope, a body that is none", "narrow", "POST", "/verify/start", json, malformed],
    [403, "no scope, a body that is too large", "narrow", "POST", "/verify/start", json, huge],
    [403, "no scope, another media type", "narrow", "POST", "/verify/start", text, valid],
    [403, "another address, unknown parameters", "elsewhere", "GET", "/lookup?what=1", {}, undefined],
    [403, "no scope, an id that does not exist", "narrow", "GET", "/verify/vrf_0000000000000000000000", {}, undefined],
    // quota
    [429, "used up, a body that is none", "usedUp", "POST", "/verify/start", json, malformed],
    [429, "used up, a body that is too large", "usedUp", "POST", "/verify/start", json, huge],
    [429, "used up, another media type", "usedUp", "POST", "/verify/start", text, valid],
    [429, "used up, unknown parameters", "usedUp", "GET", "/lookup?what=1", {}, undefined],
    [429, "used up, an id that does not exist", "usedUp", "GET", "/verify/vrf_0000000000000000000000", {}, undefined],
    // body
    [
      400,
      "an unknown version, another media type",
      "right",
      "POST",
      "/verify/start",
      { ...text, ...unknownVersion },
      valid,
    ],
    [
      406,
      "nothing acceptable, another media type",
      "right",
      "POST",
      "/verify/start",
      { ...text, Accept: "image/png" },
      valid,
    ],
    [413, "too large, another media type", "right", "POST", "/verify/start", text, huge],
    [415, "another media type, a body that is none", "right", "POST", "/verify/start", text, malformed],
    [400, "a body that is none, unknown parameters", "right", "POST", "/verify/start?what=1", json, malformed],
    [400, "a body where there is none, unknown parameters", "right", "POST", "/auth/logout-all?what=1", json, valid],
    // fields
    [422, "wrong fields, unknown parameters", "right", "POST", "/verify/start?what=1", json, invalid],
    [
      422,
      "wrong fields of an id that does not exist",
      "right",
      "POST",
      "/verify/check",
      json,
      '{"verification_id":"vrf_0000000000000000000000"}',
    ],
  ])("%i: %s", async (status, _name, keyName, method, path, headers, body) => {
    const answer = await fetch(`${app.url}/api/v1${path}`, {
      method,
      headers: { ...headers, ...(keyName === undefined ? {} : { "X-API-Key": keys[keyName] }) },
      ...(body === undefined ? {} : { body }),
    });
    await answer.arrayBuffer();
    expect(answer.status).toBe(status);
  });

  test("all faults of the fields are reported together", async () => {
    const answer = await fetch(`${app.url}/api/v1/verify/start?what=1`, {
      method: "POST",
      headers: { ...json, "X-API-Key": keys.right },
      body: '{"channel":"pigeon","recipient":"","code_length":3,"colour":"red"}',
    });
    const { error } = JSON.parse(await answer.text());
    expect(Object.keys(error.fields).sort()).toEqual(["channel", "code_length", "colour", "recipient", "what"]);
  });
});

describe("over Connect", () => {
  const ask = async (keyName: KeyName | undefined, body: string, headers: HeaderFields = {}) => {
    const answer = await fetch(`${app.url}/byond.v1.VerifyService/StartVerification`, {
      method: "POST",
      headers: { ...json, ...headers, ...(keyName === undefined ? {} : { "X-API-Key": keys[keyName] }) },
      body,
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  test.each<[string, string]>([
    ["a body that is none", malformed],
    ["a body that is too large", huge],
    ["wrong fields", invalid],
  ])("credential, access and quota come before %s", async (_name, body) => {
    expect(await ask(undefined, body)).toBe(401);
    expect(await ask("narrow", body)).toBe(403);
    expect(await ask("usedUp", body)).toBe(429);
  });

  test("a body that is not JSON is refused before its fields", async () => {
    expect(await ask("right", malformed)).toBe(400);
  });
});

test("the body of a signed request is read for its signature, so too large comes before a missing scope", async () => {
  const t = Date.now();
  const signature = createHmac("sha256", keys.narrow).update(`${t}.`).update(huge).digest("hex");
  const headers = { ...json, "X-API-Key": keys.narrow, "Byond-Signature": `t=${t},v1=${signature}` };
  const answer = await fetch(`${app.url}/api/v1/verify/start`, { method: "POST", headers, body: huge });
  expect(answer.status).toBe(413);
});
