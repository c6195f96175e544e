import { createHash } from "node:crypto";

/** What an account's address is called in keys of the throttle. A hash: what people mistype is nothing to keep. */
export function addressKey(email: string): string {
  return createHash("sha256").update(email).digest("base64url");
}
