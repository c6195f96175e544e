import { hmacSha256, toHex, utf8 } from "./hmac.ts";

/** What a `v2` signature covers. */
export interface SignedRequest {
  /** The API key, or the access token. */
  readonly credential: string;
  /** In upper case: `GET`. */
  readonly method: string;
  /** Path and query as they are sent, below the address of the server: `/api/v1/lookup?number=%2B6591234567`. */
  readonly target: string;
  /** As it is sent. Empty for a request without one. */
  readonly body: string;
}

/**
 * The header `Byond-Signature` of a request: `t=<unix ms>,v2=<hex HMAC-SHA256>`. The client sends it with `signRequests`. The server accepts each
 * signature of a call with effects once, for five minutes.
 */
export async function signRequest(
  { credential, method, target, body }: SignedRequest,
  now = Date.now(),
): Promise<string> {
  const signature = await hmacSha256(utf8(credential), utf8(`v2\n${now}\n${method}\n${target}\n`), utf8(body));
  return `t=${now},v2=${toHex(signature)}`;
}
