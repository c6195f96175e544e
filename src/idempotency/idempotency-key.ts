import type { ContextValues } from "@connectrpc/connect";
import { AppError } from "../errors.ts";
import { repeatedHeadersKey } from "../server/repeated-headers.ts";
import { keyLength } from "./idempotency.policy.ts";

/** A key without quotation marks: printable ASCII. */
const bareKey = /^[\x21\x23-\x7e][\x20-\x7e]*$/;
/** A key as a String of RFC 9651, in which `"` and `\` stand behind a backslash. */
const quotedKey = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The idempotency key of a request: 1 to 255 printable ASCII characters, bare or quoted; `abc` and `"abc"` are the same key.
 * Undefined if there is none. Throws `invalid_request` for any other value, and if the header is repeated: a request that was
 * meant to be safe to repeat must not be carried out without a key, or with a different one.
 */
export function readIdempotencyKey(headers: Headers, values: ContextValues): string | undefined {
  const text = headers.get("idempotency-key");
  if (text === null) {
    return undefined;
  }
  if (values.get(repeatedHeadersKey).has("idempotency-key")) {
    throw new AppError("invalid_request", "The Idempotency-Key header was given more than once.");
  }
  const key = quotedKey.exec(text)?.[1]?.replace(/\\(.)/g, "$1") ?? bareKey.exec(text)?.[0] ?? "";
  if (key.length < keyLength.min || key.length > keyLength.max) {
    throw new AppError(
      "invalid_request",
      `The Idempotency-Key header must be ${keyLength.min} to ${keyLength.max} printable ASCII characters, bare or as a quoted string.`,
    );
  }
  return key;
}
