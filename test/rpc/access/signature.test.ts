import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { checkSignature, parseSignatureHeader, verifySignature } from "../../../src/rpc/access/signature.ts";

const credential = "pk_live_abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyzABCD";
const nowMs = Date.parse("2026-06-15T09:40:00Z");
const body = Buffer.from('{"channel":"email","recipient":"a@example.com"}');

/** What a client in another language would write. */
function sign(options: { timestamp?: number | string; key?: string; body?: Uint8Array } = {}): string {
  const { timestamp = nowMs, key = credential, body: signed = body } = options;
  const hmac = createHmac("sha256", key);
  return hmac.update(Buffer.concat([Buffer.from(`${timestamp}.`), signed])).digest("hex");
}

function verify(header: string, change: { body?: Uint8Array; credential?: string } = {}): void {
  verifySignature({ header, credential, body, nowMs, ...change });
}

const isInvalid = expect.objectContaining({ code: "signature_invalid" });

describe("verifying", () => {
  test("the signature of the body under the key holds", () => {
    verify(`t=${nowMs},v1=${sign()}`);
  });

  test("what openssl computes holds", () => {
    // printf '1781516400000.{"a":1}' | openssl dgst -sha256 -hmac pk_test_key.secret
    const header = "t=1781516400000,v1=e79bb1f99a16d101a97a1c06651fd2f274045dd56a40738aef308b6b9bce9098";
    verify(header, { credential: "pk_test_key.secret", body: Buffer.from('{"a":1}') });
  });

  test.each([
    ["the body", { body: Buffer.from(`${body} `) }],
    ["the key", { credential: `${credential}x` }],
  ])("another one of %s does not", (_name, change) => {
    expect(() => verify(`t=${nowMs},v1=${sign()}`, change)).toThrow(isInvalid);
  });

  test("the time is signed too", () => {
    expect(() => verify(`t=${nowMs + 1},v1=${sign()}`)).toThrow(isInvalid);
  });

  test("an empty body is signed as nothing", () => {
    verify(`t=${nowMs},v1=${sign({ body: Buffer.alloc(0) })}`, { body: Buffer.alloc(0) });
  });

  test("bytes that are no text are signed as they are", () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    verify(`t=${nowMs},v1=${sign({ body: bytes })}`, { body: bytes });
  });

  test("one of several is enough, in any order and case, beside what is not known yet", () => {
    const other = "0".repeat(64);
    verify(`v1=${other}, v2=what-is-this, v1=${sign().toUpperCase()}, t=${nowMs}`);
  });

  test.each([
    ["5 minutes old", -300_000, true],
    ["5 minutes ahead", 300_000, true],
    ["older than 5 minutes", -300_001, false],
    ["further ahead than 5 minutes", 300_001, false],
  ])("%s", (_name, offset, isAccepted) => {
    const timestamp = nowMs + offset;
    const attempt = () => verify(`t=${timestamp},v1=${sign({ timestamp })}`);
    if (isAccepted) {
      attempt();
    } else {
      expect(attempt).toThrow(isInvalid);
    }
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
  ])("%j is malformed", (header) => {
    expect(parseSignatureHeader(header)).toBeUndefined();
  });

  test("the time is kept as it was written", () => {
    expect(parseSignatureHeader(`t=007,v1=${hex}`)).toEqual({
      timestamp: "007",
      signatures: [Buffer.from(hex, "hex")],
    });
  });
});

describe("checking a request", () => {
  function check(options: { header?: string; protocolName?: string; isRequired?: boolean } = {}): Promise<void> {
    return checkSignature({
      headers: new Headers(options.header === undefined ? {} : { "Byond-Signature": options.header }),
      protocolName: options.protocolName ?? "rest",
      credential,
      isRequired: options.isRequired ?? false,
      nowMs: () => nowMs,
      readBody: async () => body,
    });
  }

  test("without a signature a request passes, unless the key requires one", async () => {
    await check();
    await expect(check({ isRequired: true })).rejects.toThrow("the Byond-Signature header is missing");
  });

  test("with a signature it must hold, required or not", async () => {
    await check({ header: `t=${nowMs},v1=${sign()}` });
    await check({ header: `t=${nowMs},v1=${sign()}`, isRequired: true, protocolName: "connect" });
    await expect(check({ header: `t=${nowMs},v1=${sign({ key: "another" })}` })).rejects.toThrow(isInvalid);
    await expect(check({ header: "" })).rejects.toThrow(isInvalid);
  });

  test.each(["grpc", "grpc-web"])(
    "over %s a key that requires signatures, and a signature, are refused",
    async (name) => {
      await check({ protocolName: name });
      await expect(check({ protocolName: name, isRequired: true })).rejects.toThrow(
        "Requests over gRPC cannot be signed",
      );
      const header = `t=${nowMs},v1=${sign()}`;
      await expect(check({ protocolName: name, header })).rejects.toThrow("Requests over gRPC cannot be signed");
    },
  );

  test("a malformed header is refused before the body is there; a body that cannot be read says so itself", async () => {
    const context = {
      protocolName: "rest",
      credential,
      isRequired: false,
      nowMs: () => nowMs,
      readBody: () => Promise.reject(new AppError("payload_too_large", "too large")),
    };
    const malformed = new Headers({ "Byond-Signature": "t=1" });
    await expect(checkSignature({ ...context, headers: malformed })).rejects.toThrow(isInvalid);
    const wellFormed = new Headers({ "Byond-Signature": `t=${nowMs},v1=${sign()}` });
    await expect(checkSignature({ ...context, headers: wellFormed })).rejects.toThrow("too large");
  });
});
