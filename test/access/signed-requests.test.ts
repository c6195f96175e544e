/**
 * Signatures in the first version, and what both have in common: on the bytes as they are sent, over every protocol where a
 * client sees them.
 */
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import {
  byteLevelClients,
  grpcClient,
  type HeaderFields,
  type Input,
  type ProtocolClient,
  type RpcName,
  restClient,
} from "../wire/protocol-clients.ts";

const app = useTestApp();
let session: string;
/** A key that may sign, and one that must. */
let free: string;
let strict: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  free = await mint({});
  strict = await mint({ require_signature: true });
});

async function mint(restrictions: Input): Promise<string> {
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } });
  return body.key;
}

const now = () => app.time.now().getTime();
const hex = (key: string, timestamp: number | string, body: Uint8Array | string) =>
  createHmac("sha256", key).update(`${timestamp}.`).update(body).digest("hex");
const signedWith =
  (key: string, timestamp: () => number | string = now) =>
  (body: Uint8Array): HeaderFields => {
    const t = timestamp();
    return { "Byond-Signature": `t=${t},v1=${hex(key, t, body)}` };
  };
const signedAs = (write: (body: Uint8Array, t: number) => string) => (body: Uint8Array) => ({
  "Byond-Signature": write(body, now()),
});

const noMatch = "The signature does not match the key and the body as they were received.";
const outdated = "The time of the signature is more than 5 minutes away from the server's.";
const malformed =
  "The Byond-Signature header must be t=<unix milliseconds> and v1=<hexadecimal HMAC-SHA256>, v2=<…> or both.";
const missing = "This key takes signed requests only: the Byond-Signature header is missing.";

/** One call with a body, and one that over REST is a GET without any. */
const calls: readonly (readonly [RpcName, () => Input])[] = [
  ["StartVerification", () => ({ channel: "email", recipient: `signed-${crypto.randomUUID()}@example.com` })],
  ["LookupNumber", () => ({ number: "1" })],
];

describe.each(byteLevelClients)("over $name", (client: ProtocolClient) => {
  describe.each(calls)("%s", (rpc, input) => {
    const outcome = async (key: string, sign?: (body: Uint8Array) => HeaderFields, gzip = false) => {
      const { code, body } = await client.call(app, rpc, input(), {
        key,
        gzip,
        ...(sign === undefined ? {} : { sign }),
      });
      return code === "ok" ? "ok" : `${code}: ${body.message}`;
    };

    test("a signature of the body as it is sent is valid, compressed or not", async () => {
      for (const key of [free, strict]) {
        expect(await outcome(key, signedWith(key))).toBe("ok");
        expect(await outcome(key, signedWith(key), true)).toBe("ok");
      }
    });

    test("an unsigned request is admitted unless its key requires signatures", async () => {
      expect(await outcome(free)).toBe("ok");
      expect(await outcome(strict)).toBe(`signature_invalid: ${missing}`);
    });

    test("a time within 5 minutes of the server's is accepted, before and after", async () => {
      for (const minutes of [-4.9, 4.9]) {
        expect(
          await outcome(
            strict,
            signedWith(strict, () => Math.round(now() + minutes * 60_000)),
          ),
        ).toBe("ok");
      }
      for (const minutes of [-5.1, 5.1]) {
        const refusal = await outcome(
          strict,
          signedWith(strict, () => Math.round(now() + minutes * 60_000)),
        );
        expect(refusal).toBe(`signature_invalid: ${outdated}`);
      }
    });

    const other = "00".repeat(32);
    test.each([
      ["one of several", (body: Uint8Array, t: number, key: string) => `t=${t},v1=${other},v1=${hex(key, t, body)}`],
      [
        "one of five",
        (body: Uint8Array, t: number, key: string) => `${`v1=${other},`.repeat(4)}v1=${hex(key, t, body)},t=${t}`,
      ],
      [
        "beside a version to come",
        (body: Uint8Array, t: number, key: string) => `t=${t}, v3=abc, v1=${hex(key, t, body).toUpperCase()}`,
      ],
    ])("%s is enough", async (_name, write) => {
      for (const key of [free, strict]) {
        expect(
          await outcome(
            key,
            signedAs((body, t) => write(body, t, key)),
          ),
        ).toBe("ok");
      }
    });

    test.each([
      ["under another key", noMatch, (body: Uint8Array, t: number) => `t=${t},v1=${hex("pk_live_a.b", t, body)}`],
      [
        "of another body",
        noMatch,
        (body: Uint8Array, t: number, key: string) =>
          `t=${t},v1=${hex(key, t, Buffer.concat([body, Buffer.from(" ")]))}`,
      ],
      ["of another time", noMatch, (body: Uint8Array, t: number, key: string) => `t=${t + 1},v1=${hex(key, t, body)}`],
      [
        "under the key's prefix",
        noMatch,
        (body: Uint8Array, t: number, key: string) => `t=${t},v1=${hex(key.slice(0, key.indexOf(".")), t, body)}`,
      ],
      [
        "of seconds",
        outdated,
        (body: Uint8Array, t: number, key: string) => {
          const seconds = Math.round(t / 1_000);
          return `t=${seconds},v1=${hex(key, seconds, body)}`;
        },
      ],
      ["that is empty", malformed, () => ""],
      ["without a time", malformed, (body: Uint8Array, t: number, key: string) => `v1=${hex(key, t, body)}`],
      ["without a signature", malformed, (_body: Uint8Array, t: number) => `t=${t}`],
      ["cut short", malformed, (body: Uint8Array, t: number, key: string) => `t=${t},v1=${hex(key, t, body).slice(2)}`],
      [
        "in base64",
        malformed,
        (body: Uint8Array, t: number, key: string) =>
          `t=${t},v1=${Buffer.from(hex(key, t, body), "hex").toString("base64")}`,
      ],
      [
        "six times",
        malformed,
        (body: Uint8Array, t: number, key: string) => `t=${t}${`,v1=${hex(key, t, body)}`.repeat(6)}`,
      ],
    ])("one %s is refused, required or not", async (_name, message, write) => {
      for (const key of [free, strict]) {
        const refusal = await outcome(
          key,
          signedAs((body, t) => write(body, t, key)),
        );
        expect(refusal).toBe(`signature_invalid: ${message}`);
      }
    });
  });

  test("the signature covers the bytes, not the decompressed body", async () => {
    const input = { channel: "email", recipient: "unpacked@example.com" };
    let plain: Uint8Array = new Uint8Array();
    await client.call(app, "StartVerification", input, {
      key: strict,
      sign: (body) => {
        plain = body;
        return signedWith(strict)(body);
      },
    });
    const call = { key: strict, gzip: true, sign: () => signedWith(strict)(plain) };
    const { code, body } = await client.call(app, "StartVerification", input, call);
    expect({ code, message: body.message }).toEqual({ code: "signature_invalid", message: noMatch });
  });

  test("a refused request has no effect: no verification is created", async () => {
    const recipient = `refused-by-${client.name.replaceAll(" ", "-").toLowerCase()}@example.com`;
    const sign = signedWith("pk_live_another.key");
    expect(
      (await client.call(app, "StartVerification", { channel: "email", recipient }, { key: strict, sign })).code,
    ).toBe("signature_invalid");
    const found = await app.rest("GET", `/verifications?recipient=${recipient}`, { key: free });
    expect(found).toMatchObject({ status: 200, body: { verifications: [] } });
  });

  test("a session's requests may be signed too, with its token", async () => {
    const call = (sign: (body: Uint8Array) => HeaderFields) =>
      client.call(app, "CreateApiKey", { name: "signed" }, { session, sign });
    expect((await call(signedWith(session))).code).toBe("ok");
    expect((await call(signedWith(free))).code).toBe("signature_invalid");
  });

  test("a wrong signature is reported before a missing scope or a refused address", async () => {
    const lookupOnly = await mint({ scopes: ["lookup"], ip_allowlist: ["192.0.2.1"] });
    const start = (key: string, sign: (body: Uint8Array) => HeaderFields) =>
      client.call(app, "StartVerification", { channel: "email", recipient: "a@example.com" }, { key, sign });
    expect((await start(lookupOnly, signedWith(free))).code).toBe("signature_invalid");
    expect((await start(lookupOnly, signedWith(lookupOnly))).code).toBe("ip_not_allowed");
    expect((await start(`${lookupOnly}x`, signedWith(free))).code).toBe("invalid_api_key");
  });

  test("after a rotation each of the two secrets signs its own requests while both are valid", async () => {
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "r", require_signature: true } });
    const rotated = await app.rest("POST", `/api-keys/${body.id}/rotate`, { session, body: { grace_seconds: 60 } });
    const codeOf = async (key: string, signer: string) =>
      (await client.call(app, "LookupNumber", { number: "1" }, { key, sign: signedWith(signer) })).code;
    expect(await codeOf(body.key, body.key)).toBe("ok");
    expect(await codeOf(rotated.body.key, rotated.body.key)).toBe("ok");
    expect(await codeOf(rotated.body.key, body.key)).toBe("signature_invalid");
  });
});

describe("over gRPC", () => {
  const refusal =
    "Requests over gRPC cannot be signed: its clients do not see the bytes they send. Use REST or Connect.";

  test("a key that requires signatures is refused, and told what to use", async () => {
    const { code, body } = await grpcClient.call(app, "LookupNumber", { number: "1" }, { key: strict });
    expect({ code, message: body.message }).toEqual({ code: "signature_invalid", message: refusal });
  });

  test("a signature is refused, not ignored: it would look valid", async () => {
    const call = { key: free, sign: signedWith(free) };
    const { code, body } = await grpcClient.call(app, "LookupNumber", { number: "1" }, call);
    expect({ code, message: body.message }).toEqual({ code: "signature_invalid", message: refusal });
    expect((await grpcClient.call(app, "LookupNumber", { number: "1" }, { key: free })).code).toBe("ok");
  });
});

test("a key that is changed to require signatures requires them from the next request on", async () => {
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "later" } });
  const codeOf = async () => (await restClient.call(app, "LookupNumber", { number: "1" }, { key: body.key })).code;
  expect(await codeOf()).toBe("ok");
  await app.rest("PATCH", `/api-keys/${body.id}`, { session, body: { require_signature: true } });
  expect(await codeOf()).toBe("signature_invalid");
  await app.rest("PATCH", `/api-keys/${body.id}`, { session, body: { require_signature: false } });
  expect(await codeOf()).toBe("ok");
});

test("unusual bytes are signed as they are, in however many chunks they arrive", async () => {
  const body = Buffer.from('\n{ "recipient" : "\\u0061-piece@example.com",\t"channel":"email" }\r\n');
  const t = now();
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = {
      "X-API-Key": strict,
      "Content-Type": "application/json",
      "Byond-Signature": `t=${t},v1=${hex(strict, t, body)}`,
    };
    const request = httpRequest(`${app.url}/api/v1/verify/start`, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    for (const byte of body) {
      request.write(Buffer.from([byte]));
    }
    request.end();
  });
  expect(status).toBe(201);
});

test("a GET over Connect is signed with an empty body, like every request without one", async () => {
  const t = now();
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: '{"number":"1"}' });
  const url = `${app.url}/byond.v1.LookupService/LookupNumber?${query}`;
  const get = (signature: string) => fetch(url, { headers: { "X-API-Key": strict, "Byond-Signature": signature } });
  expect((await get(`t=${t},v1=${hex(strict, t, "")}`)).status).toBe(200);
  expect((await get(`t=${t},v1=${hex(strict, t, '{"number":"1"}')}`)).status).toBe(401);
});

test("a signed body that is too large is refused as too large", async () => {
  const body = Buffer.alloc(64 * 1024 + 1, " ");
  const t = now();
  const headers = {
    "X-API-Key": strict,
    "Content-Type": "application/json",
    "Byond-Signature": `t=${t},v1=${hex(strict, t, body)}`,
  };
  const answer = await fetch(`${app.url}/api/v1/verify/start`, { method: "POST", headers, body });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { code: "payload_too_large" } });
});
