import { createHmac } from "node:crypto";

/**
 * The header `Byond-Signature` of a request that this server sends: `t=<unix ms>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>`, with a
 * `v1` for each secret. The time is signed too, so that the receiver can refuse a recorded request.
 */
export function signBody(secrets: readonly string[], body: string, now: Date): string {
  const sentAtMs = now.getTime();
  const signatures = secrets.map((secret) => {
    const digest = createHmac("sha256", secret).update(`${sentAtMs}.`).update(body).digest("hex");
    return `v1=${digest}`;
  });
  return [`t=${sentAtMs}`, ...signatures].join(",");
}
