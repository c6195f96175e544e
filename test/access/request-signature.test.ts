import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type CallSignature,
  checkSignature,
  parseSignatureHeader,
  type SignatureContext,
  type SignatureVersion,
} from "../../src/access/request-signature.ts";
import { AppError } from "../../src/errors.ts";

const credential = "pk_live_abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyzABCD";
const nowMs = Date.parse("2026-06-15T09:40:00Z");
const body = Buffer.from('{"channel":"email","recipient":"a@example.com"}');
const request = { method: "POST", target: "/api/v1/verify/start" };

interface Signed {
  readonly timestamp?: number | string;
  readonly key?: string;
  readonly method?: string;
  readonly target?: string;
  readonly body?: Uint8Array;
}

/** What a client in another language would write. */
function sign(version: SignatureVersion, changes: Signed = {}): string {
  const {
    timestamp,
    key,
    method,
    target,
    body: signed,
  } = { timestamp: nowMs, key: credential, body, ...request, ...changes };
  const head = version === "v1" ? `${timestamp}.` : `v2\n${timestamp}\n${method}\n${target}\n`;
  return createHmac("sha256", key)
    .update(Buffer.concat([Buffer.from(head), signed]))
    .digest("hex");
}

interface Received
  extends Partial<Pick<SignatureContext, "credential" | "method" | "target" | "protocolName" | "required">> {
  readonly body?: Uint8Array;
}

function check(header: string | undefined, received: Received = {}): Promise<CallSignature | undefined> {
  const { body: sent = body, ...changes } = received;
  return checkSignature({
    headers: new Headers(header === undefined ? {} : { "Byond-Signature": header }),
    protocolName: "rest",
    credential,
    ...request,
    required: null,
    nowMs: () => nowMs,
    readBody: async () => sent,
    ...changes,
  });
}

const isInvalid = expect.objectContaining({ code: "signature_invalid" });

describe.each(["v1", "v2"] as const)("%s", (version) => {
  const header = (changes: Signed = {}) => `t=${changes.timestamp ?? nowMs},${version}=${sign(version, changes)}`;

  test("the signature of the request with the key is valid", async () => {
    await check(header());
  });

  test.each<readonly [string, Received]>([
    ["body", { body: Buffer.from(`${body} `) }],
    ["key", { credential: `${credential}x` }],
  ])("another %s is refused", async (_name, received) => {
    await expect(check(header(), received)).rejects.toThrow(isInvalid);
  });

  test("the time is signed too", async () => {
    await expect(check(`t=${nowMs + 1},${version}=${sign(version)}`)).rejects.toThrow(isInvalid);
  });

  test("a request without a body is signed with an empty one", async () => {
    await check(header({ body: Buffer.alloc(0) }), { body: Buffer.alloc(0) });
  });

  test("bytes that are not text are signed as they are", async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    await check(header({ body: bytes }), { body: bytes });
  });

  test("one valid signature of several is enough, in any order and case, next to unknown versions", async () => {
    const other = "0".repeat(64);
    const hex = sign(version).toUpperCase();
    await check(`${version}=${other}, v3=what-is-this, ${version}=${hex}, t=${nowMs}`);
    await expect(check(`${version}=${other},t=${nowMs},${version}=${other}`)).rejects.toThrow(isInvalid);
  });

  test.each([
    ["5 minutes old", -300_000, true],
    ["5 minutes ahead", 300_000, true],
    ["older than 5 minutes", -300_001, false],
    ["further ahead than 5 minutes", 300_001, false],
  ])("%s", async (_name, offset, isAccepted) => {
    const attempt = check(header({ timestamp: nowMs + offset }));
    await (isAccepted ? attempt : expect(attempt).rejects.toThrow(isInvalid));
  });

  test.each(["grpc", "grpc-web"])(
    "over %s a key that requires signatures, and a signature, are refused",
    async (protocolName) => {
      await check(undefined, { protocolName });
      await expect(check(undefined, { protocolName, required: version })).rejects.toThrow(
        "Requests over gRPC cannot be signed",
      );
      await expect(check(header(), { protocolName })).rejects.toThrow("Requests over gRPC cannot be signed");
    },
  );

  test("a request without a signature passes unless the key requires one", async () => {
    await check(undefined);
    await expect(check(undefined, { required: version })).rejects.toThrow("the Byond-Signature header is missing");
    await check(header(), { required: version, protocolName: "connect" });
  });

  test("a malformed or outdated header is refused before the body is read; an error of the body is passed on", async () => {
    const receive = (text: string) =>
      checkSignature({
        headers: new Headers({ "Byond-Signature": text }),
        protocolName: "rest",
        credential,
        ...request,
        required: null,
        nowMs: () => nowMs,
        readBody: () => Promise.reject(new AppError("payload_too_large", "too large")),
      });
    await expect(receive("t=1")).rejects.toThrow(isInvalid);
    await expect(receive(header({ timestamp: 1 }))).rejects.toThrow(isInvalid);
    await expect(receive(header())).rejects.toThrow("too large");
  });
});

describe("what v2 covers", () => {
  test.each<readonly [string, Received]>([
    ["method", { method: "PUT" }],
    ["path", { target: "/api/v1/verify/check" }],
    ["query", { target: "/api/v1/verify/start?a=1" }],
    ["spelling of the path", { target: "/api/v1/verify/st%61rt" }],
    ["case of the path", { target: "/api/v1/verify/START" }],
  ])("another %s is refused; v1 does not cover it", async (_name, received) => {
    await expect(check(`t=${nowMs},v2=${sign("v2")}`, received)).rejects.toThrow(isInvalid);
    await check(`t=${nowMs},v1=${sign("v1")}`, received);
  });

  test("a refusal names the request as it was received, without the query", async () => {
    await expect(check(`t=${nowMs},v2=${sign("v2")}`, { target: "/api/v1/lookup?number=1" })).rejects.toThrow(
      "The v2 signature does not match the key and the request as they were received: POST /api/v1/lookup, its query and its body.",
    );
  });

  test("a signature of one version is never valid as the other", async () => {
    // A body that holds what another version puts before it.
    const asV1 = Buffer.from(`POST\n/api/v1/verify/start\n${body}`);
    await expect(check(`t=${nowMs},v2=${sign("v1", { body: asV1 })}`)).rejects.toThrow(isInvalid);
    await expect(check(`t=${nowMs},v1=${sign("v2")}`, { body: asV1 })).rejects.toThrow(isInvalid);
  });

  test("a line break cannot move a part of the body into the target", async () => {
    const header = `t=${nowMs},v2=${sign("v2", { target: "/a", body: Buffer.from("b\nc") })}`;
    await check(header, { target: "/a", body: Buffer.from("b\nc") });
    await expect(check(header, { target: "/a?b", body: Buffer.from("c") })).rejects.toThrow(isInvalid);
  });
});

describe("both versions in one header", () => {
  const other = "0".repeat(64);

  test("v2 decides", async () => {
    await check(`t=${nowMs},v1=${sign("v1")},v2=${sign("v2")}`);
    await check(`t=${nowMs},v1=${other},v2=${sign("v2")}`);
    await expect(check(`t=${nowMs},v1=${sign("v1")},v2=${other}`)).rejects.toThrow(isInvalid);
  });

  test("a key that requires v2 refuses v1 alone; one that requires v1 takes v2", async () => {
    await expect(check(`t=${nowMs},v1=${sign("v1")}`, { required: "v2" })).rejects.toThrow("takes v2 signatures only");
    await check(`t=${nowMs},v1=${sign("v1")},v2=${sign("v2")}`, { required: "v2" });
    await check(`t=${nowMs},v2=${sign("v2")}`, { required: "v1" });
  });
});

describe("the nonce", () => {
  test("is the same for every spelling of a valid header of one request, and for no other request", async () => {
    const hex = sign("v2");
    const nonce = (await check(`t=${nowMs},v2=${hex}`))?.nonce;
    expect(nonce).toMatch(/^[\w+/]{43}=$/);
    for (const spelling of [
      `v2=${hex.toUpperCase()} , t=${nowMs}`,
      `t=${nowMs},v2=${"0".repeat(64)},v2=${hex}`,
      `t=${nowMs},v1=${sign("v1")},v2=${hex},v3=x`,
    ]) {
      expect(await check(spelling)).toEqual({ version: "v2", nonce });
    }
    const timestamp = `0${nowMs}`;
    expect((await check(`t=${timestamp},v2=${sign("v2", { timestamp })}`))?.nonce).not.toBe(nonce);
    expect(nonce).not.toContain(Buffer.from(hex, "hex").toString("base64"));
  });

  test("v1 and unsigned requests have none", async () => {
    expect(await check(`t=${nowMs},v1=${sign("v1")}`)).toEqual({ version: "v1" });
    expect(await check(undefined)).toBeUndefined();
  });
});

describe("vectors of the guide", () => {
  const key = "pk_test_key.secret";
  const timestamp = "1781516400000";
  const received = { credential: key, target: "/api/v1/verify/start", body: Buffer.from('{"a":1}') };
  const vectors = {
    v1: "e79bb1f99a16d101a97a1c06651fd2f274045dd56a40738aef308b6b9bce9098",
    v2: "995c0885d2b216418895171a3327b5e0c10a937482b2a68dc4390cedb6dda110",
  };

  test.each(["v1", "v2"] as const)("%s, as openssl computes it", async (version) => {
    const text = {
      v1: `${timestamp}.{"a":1}`,
      v2: `v2\n${timestamp}\nPOST\n/api/v1/verify/start\n{"a":1}`,
    }[version];
    const hex = execFileSync("openssl", ["dgst", "-sha256", "-hmac", key, "-r"], { input: text, encoding: "utf8" });
    expect(hex.split(" ")[0]).toBe(vectors[version]);
    await check(`t=${timestamp},${version}=${vectors[version]}`, received);
  });
});

describe("reading the header", () => {
  const hex = "ab".repeat(32);

  test.each([
    "",
    "t=1",
    `v1=${hex}`,
    `t=,v1=${hex}`,
    `t=1,t=1,v1=${hex}`,
    `t=-1,v1=${hex}`,
    `t=1.5,v1=${hex}`,
    `t=1e3,v1=${hex}`,
    `t=1234567890123456,v1=${hex}`,
    `t=1,v1=${hex.slice(2)}`,
    `t=1,v1=${hex}00`,
    `t=1,v1=${"zz".repeat(32)}`,
    `t=1,v1=${hex},v1=short`,
    `t=1 v1=${hex}`,
    `t=1,v1=${hex},`,
    `t=1,${Array(6).fill(`v1=${hex}`).join(",")}`,
    `v2=${hex}`,
    `t=1,v2=${hex.slice(2)}`,
    `t=1,v1=${hex},v2=short`,
    `t=1,v2=`,
    `t=1,${Array(3).fill(`v1=${hex},v2=${hex}`).join(",")}`,
    `t=1,v3=${hex}`,
    `t=1,V2=${hex}`,
    `t=1,v02=${hex}`,
  ])("%j is malformed", (header) => {
    expect(parseSignatureHeader(header)).toBeUndefined();
  });

  test("the time is kept as text", () => {
    const signature = Buffer.from(hex, "hex");
    expect(parseSignatureHeader(`t=007,v1=${hex}`)).toEqual({ timestamp: "007", v1: [signature], v2: [] });
    expect(parseSignatureHeader(`t=007,v2=${hex}`)).toEqual({ timestamp: "007", v1: [], v2: [signature] });
  });
});
