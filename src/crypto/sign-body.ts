import { createHmac } from "node:crypto";

/**
 * The header `Byond-Signature` of a request that this server sends: `t=<unix ms>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>`.
 * The time is signed too, so that the receiver can refuse a recorded request.
 */
export function signBody(secret: string, body: string, now: Date): string {
  const sentAtMs = now.getTime();
  const digest = createHmac("sha256", secret).update(`${sentAtMs}.`).update(body).digest("hex");
  return `t=${sentAtMs},v1=${digest}`;
}
