import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../errors.ts";

/** How far the time of a signature may differ from ours. */
const signatureToleranceMs = 5 * 60_000;

/** A client that rotates its key signs with the old one and the new one. More than a few are never needed. */
const maxSignatures = 5;

/** `v1` covers the body, `v2` the method, the target and the body. */
export type SignatureVersion = "v1" | "v2";

export interface SignatureHeader {
  /** Unix milliseconds, as they were sent: the text is what is signed. */
  readonly timestamp: string;
  readonly v1: readonly Buffer[];
  readonly v2: readonly Buffer[];
}

/**
 * Parses `t=<unix ms>,v1=<hex>,v2=<hex>`: one time and one or more signatures. Elements with other names are ignored, for
 * future versions. Undefined if the header is malformed or has no signature of a known version.
 */
export function parseSignatureHeader(text: string): SignatureHeader | undefined {
  let timestamp: string | undefined;
  const signatures: Record<SignatureVersion, Buffer[]> = { v1: [], v2: [] };
  for (const element of text.split(",")) {
    const [, name, value = ""] = /^\s*(\w+)=(\S*)\s*$/.exec(element) ?? [];
    if (name === "t" && timestamp === undefined && /^\d{1,15}$/.test(value)) {
      timestamp = value;
    } else if ((name === "v1" || name === "v2") && /^[\da-f]{64}$/i.test(value)) {
      signatures[name].push(Buffer.from(value, "hex"));
    } else if (name === undefined || name === "t" || name === "v1" || name === "v2") {
      return undefined;
    }
  }
  const count = signatures.v1.length + signatures.v2.length;
  return timestamp === undefined || count === 0 || count > maxSignatures ? undefined : { timestamp, ...signatures };
}

/** A valid signature of a request. */
export interface CallSignature {
  readonly version: SignatureVersion;
  /**
   * For `v2`: an effect of the call uses it up, so that the request cannot be replayed. It is the same for every spelling of
   * the header that is valid for the request.
   */
  readonly nonce?: string;
}

export interface SignedContent {
  /** The API key or access token as it was sent. */
  readonly credential: string;
  /** As it was sent. */
  readonly timestamp: string;
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** The body as it was sent, before it is decompressed. Empty for a request without one. */
  readonly body: Uint8Array;
}

/**
 * HMAC-SHA256 with the whole credential as the key. `v1` signs `<t>.<body>`; `v2` signs five lines: `v2`, `<t>`, the method,
 * the target, the body. No signed text is valid in both versions, and none of the first four lines can contain a line break.
 */
function computeSignature(version: SignatureVersion, content: SignedContent): Buffer {
  const { credential, timestamp, method, target, body } = content;
  const head = version === "v1" ? `${timestamp}.` : `v2\n${timestamp}\n${method}\n${target}\n`;
  return createHmac("sha256", credential).update(head).update(body).digest();
}

/** Whether a request has a signature, or needs one: all others pass `checkSignature`. */
export function isSignatureExpected(headers: Headers, required: SignatureVersion | null): boolean {
  return required !== null || headers.has("byond-signature");
}

/** A request whose headers have arrived and whose caller is known. */
export interface SignatureContext extends Omit<SignedContent, "timestamp" | "body"> {
  readonly headers: Headers;
  /** As in `HandlerContext`. */
  readonly protocolName: string;
  /** The lowest version that the caller's key requires. Null: no signature is required. */
  readonly required: SignatureVersion | null;
  readonly nowMs: () => number;
  readonly readBody: () => Promise<Uint8Array>;
}

/**
 * Checks the signature of a request, if it has one or needs one. Only then is the body read, before anything else reads it. If
 * there is a `v2`, `v1` is ignored. Undefined: the request is not signed. Throws `signature_invalid`, and whatever `readBody`
 * throws.
 */
export async function checkSignature(context: SignatureContext): Promise<CallSignature | undefined> {
  if (!isSignatureExpected(context.headers, context.required)) {
    return undefined;
  }
  const text = context.headers.get("byond-signature");
  if (context.protocolName.startsWith("grpc")) {
    throw signatureInvalid(
      "Requests over gRPC cannot be signed: its clients do not see the bytes they send. Use REST or Connect.",
    );
  }
  if (text === null) {
    requireSignature(context.required, undefined);
    return undefined;
  }
  const header = parseSignatureHeader(text);
  if (header === undefined) {
    throw signatureInvalid(
      "The Byond-Signature header must be t=<unix milliseconds> and v1=<hexadecimal HMAC-SHA256>, v2=<…> or both.",
    );
  }
  const version = header.v2.length > 0 ? "v2" : "v1";
  requireSignature(context.required, version);
  if (Math.abs(context.nowMs() - Number(header.timestamp)) > signatureToleranceMs) {
    throw signatureInvalid("The time of the signature is more than 5 minutes away from the server's.");
  }
  const { credential, method, target } = context;
  const { timestamp } = header;
  const body = await context.readBody();
  const expected = computeSignature(version, { credential, timestamp, method, target, body });
  // Every signature is compared, so that the time taken does not reveal which of them is valid.
  const matches = header[version].filter((signature) => timingSafeEqual(signature, expected));
  if (matches.length === 0) {
    throw signatureInvalid(noMatch(version, context));
  }
  return version === "v1" ? { version } : { version, nonce: createHash("sha256").update(expected).digest("base64") };
}

/** Throws `signature_invalid` if the key requires a signature, or a newer version of it, than the request has. */
export function requireSignature(required: SignatureVersion | null, sent: SignatureVersion | undefined): void {
  if (required === null || sent === "v2" || sent === required) {
    return;
  }
  throw signatureInvalid(
    sent === undefined
      ? "This key takes signed requests only: the Byond-Signature header is missing."
      : "This key takes v2 signatures only: the Byond-Signature header has none.",
  );
}

function noMatch(version: SignatureVersion, { method, target }: Pick<SignedContent, "method" | "target">): string {
  if (version === "v1") {
    return "The signature does not match the key and the body as they were received.";
  }
  const path = target.split("?", 1)[0];
  return `The v2 signature does not match the key and the request as they were received: ${method} ${path}, its query and its body.`;
}

function signatureInvalid(message: string): AppError {
  return new AppError("signature_invalid", message);
}
