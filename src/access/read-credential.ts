import { AppError } from "../errors.ts";
import { noSessionInCookie, type SessionCookies } from "./session-cookie.ts";

/**
 * The credential of a request:
 *
 *     X-API-Key: pk_live_8fa2.s3cr3t               → { kind: "key", text: "pk_live_8fa2.s3cr3t" }
 *     Authorization: Bearer pk_live_8fa2.s3cr3t    → the same
 *     Authorization: Bearer eyJhbGciOi…            → { kind: "session", text: "eyJhbGciOi…" }
 *     Byond-Session: cookie                        → { kind: "session", text: "eyJhbGciOi…", isInCookie: true }
 */
export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "key"; readonly text: string }
  | { readonly kind: "session"; readonly text: string; readonly isInCookie?: true };

const bearer = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * Reads the credential of a request: `X-API-Key: <key>`, or `Authorization: Bearer` with a key (they begin with `pk_`)
 * or a session's token, or the cookie if `Byond-Session: cookie` says so. Throws `invalid_api_key` for an `Authorization` of another
 * form, for two different credentials in one request, and for a cookie that is not there or does not come from a page of this server.
 * An `X-API-Key` without a value is none. `cookies` is undefined where there are no sessions.
 */
export function readCredential(
  header: Headers,
  call: { readonly url: string },
  cookies: SessionCookies | undefined,
): Credential {
  const key = header.get("x-api-key");
  const authorization = header.get("authorization");
  const cookie = cookies?.ofCall(header, call);
  if (cookie !== undefined) {
    if ((key !== null && key !== "") || authorization !== null) {
      throw twoCredentials();
    }
    const tokens = cookie.read(header);
    if (tokens === undefined) {
      throw noSessionInCookie();
    }
    return { kind: "session", text: tokens.accessToken, isInCookie: true };
  }
  if (authorization === null) {
    return key === null || key === "" ? { kind: "none" } : { kind: "key", text: key };
  }
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) {
    throw new AppError("invalid_api_key", 'The Authorization header must be "Bearer" and one API key or access token.');
  }
  if (key !== null && key !== token) {
    throw twoCredentials();
  }
  return token.startsWith("pk_") ? { kind: "key", text: token } : { kind: "session", text: token };
}

/** Whether a request names a credential, valid or not. */
export function hasCredential(header: Headers): boolean {
  return (header.get("x-api-key") ?? "") !== "" || header.has("authorization") || header.has("byond-session");
}

function twoCredentials(): AppError {
  return new AppError("invalid_api_key", "Send one credential: the request carries two different ones.");
}
