import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../../errors.ts";

/** How far the time of a signature may be from ours, either way. */
const signatureToleranceMs = 5 * 60_000;

/** A client that changes its key signs with the old one and the new one; nobody needs more than a few. */
const maxSignatures = 5;

export interface SignatureHeader {
  /** Unix milliseconds, as they were sent: the text is what is signed. */
  readonly timestamp: string;
  readonly signatures: readonly Buffer[];
}

/**
 * Reads `t=<unix ms>,v1=<hex>`: one time, one `v1` or several, and elements of other names, which are left to the future.
 * Undefined if it is malformed.
 */
export function parseSignatureHeader(text: string): SignatureHeader | undefined {
  let timestamp: string | undefined;
  const signatures: Buffer[] = [];
  for (const element of text.split(",")) {
    const [, name, value = ""] = /^\s*(\w+)=(\S*)\s*$/.exec(element) ?? [];
    if (name === "t" && timestamp === undefined && /^\d{1,15}$/.test(value)) {
      timestamp = value;
    } else if (name === "v1" && /^[\da-f]{64}$/i.test(value)) {
      signatures.push(Buffer.from(value, "hex"));
    } else if (name === undefined || name === "t" || name === "v1") {
      return undefined;
    }
  }
  return timestamp === undefined || signatures.length === 0 || signatures.length > maxSignatures
    ? undefined
    : { timestamp, signatures };
}

/** What a client computes: HMAC-SHA256 under the whole credential as it is sent, of `<t>.` and the body. */
function computeSignature(credential: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac("sha256", credential).update(`${timestamp}.`).update(body).digest();
}

export interface SignedRequest {
  /** The header `Byond-Signature`. */
  readonly header: string;
  /** The API key or session token as it was sent. */
  readonly credential: string;
  /** The body as it was sent, before it is decompressed. Empty for a request without one. */
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** Throws `signature_invalid` unless one of the signatures holds and its time is near ours. Compares in constant time. */
export function verifySignature(request: SignedRequest): void {
  const parsed = parseSignatureHeader(request.header);
  if (parsed === undefined) {
    throw invalid("The Byond-Signature header must be t=<unix milliseconds>,v1=<hexadecimal HMAC-SHA256>.");
  }
  if (Math.abs(request.nowMs - Number(parsed.timestamp)) > signatureToleranceMs) {
    throw invalid("The time of the signature is more than 5 minutes away from the server's.");
  }
  const expected = computeSignature(request.credential, parsed.timestamp, request.body);
  // Every signature is compared, so that the time taken does not tell which of them holds.
  const matches = parsed.signatures.filter((signature) => timingSafeEqual(signature, expected));
  if (matches.length === 0) {
    throw invalid("The signature does not match the key and the body as they were received.");
  }
}

function invalid(message: string): AppError {
  return new AppError("signature_invalid", message);
}

/** What is known of a request when its headers are there and its caller is known. */
export interface SignatureContext {
  readonly headers: Headers;
  /** As in `HandlerContext`. */
  readonly protocolName: string;
  readonly credential: string;
  /** The caller's key requires signatures. */
  readonly isRequired: boolean;
  readonly nowMs: () => number;
  readonly readBody: () => Promise<Uint8Array>;
}

/**
 * Checks the signature of a request, if it has one or must have one. Only then is the body read, before anything else sees
 * it. Throws `signature_invalid`; what `readBody` throws passes.
 */
export async function checkSignature(context: SignatureContext): Promise<void> {
  const header = context.headers.get("byond-signature");
  if (header === null && !context.isRequired) {
    return;
  }
  if (context.protocolName.startsWith("grpc")) {
    throw invalid(
      "Requests over gRPC cannot be signed: its clients do not see the bytes they send. Use REST or Connect.",
    );
  }
  if (header === null) {
    throw invalid("This key takes signed requests only: the Byond-Signature header is missing.");
  }
  // A malformed or outdated header is refused without waiting for the body.
  const body = parseSignatureHeader(header) === undefined ? new Uint8Array() : await context.readBody();
  verifySignature({ header, credential: context.credential, body, nowMs: context.nowMs() });
}
