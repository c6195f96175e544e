import type { ContextValues } from "@connectrpc/connect";
import { AppError } from "../errors.ts";
import { repeatedHeadersKey } from "../server/repeated-headers.ts";

/** A key as it is: printable ASCII that does not begin with a quotation mark. */
const bareKey = /^[\x21\x23-\x7e][\x20-\x7e]*$/;
/** A key as a String of RFC 9651, in which `"` and `\` stand behind a backslash. */
const quotedKey = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const maxLength = 255;

/**
 * The idempotency key of a request: 1 to 255 printable ASCII characters, bare or quoted; `abc` and `"abc"` are the same
 * one. Undefined if there is none. Throws `invalid_request` for anything else, as for any header that is malformed, and for
 * a second header: a request that was meant to be safe to repeat must not be carried out as one that is not, or under
 * another key.
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
  if (key.length === 0 || key.length > maxLength) {
    throw new AppError(
      "invalid_request",
      `The Idempotency-Key header must be 1 to ${maxLength} printable ASCII characters, bare or as a quoted string.`,
    );
  }
  return key;
}
