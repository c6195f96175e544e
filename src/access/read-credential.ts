import { AppError } from "../errors.ts";

/**
 * The credential of a request:
 *
 *     X-API-Key: pk_live_8fa2.s3cr3t               → { kind: "key", text: "pk_live_8fa2.s3cr3t" }
 *     Authorization: Bearer pk_live_8fa2.s3cr3t    → the same
 *     Authorization: Bearer eyJhbGciOi…            → { kind: "session", text: "eyJhbGciOi…" }
 */
export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "key"; readonly text: string }
  | { readonly kind: "session"; readonly text: string };

const bearer = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * Reads the credential of a request: `X-API-Key: <key>`, or `Authorization: Bearer` with a key (they begin with `pk_`)
 * or a session's token. Throws `invalid_api_key` for an `Authorization` of another form, and for two different
 * credentials in one request. An `X-API-Key` without a value is none.
 */
export function readCredential(header: Headers): Credential {
  const key = header.get("x-api-key");
  const authorization = header.get("authorization");
  if (authorization === null) {
    return key === null || key === "" ? { kind: "none" } : { kind: "key", text: key };
  }
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) {
    throw new AppError("invalid_api_key", 'The Authorization header must be "Bearer" and one key or session token.');
  }
  if (key !== null && key !== token) {
    throw new AppError("invalid_api_key", "Send one credential: the request carries two different ones.");
  }
  return token.startsWith("pk_") ? { kind: "key", text: token } : { kind: "session", text: token };
}
