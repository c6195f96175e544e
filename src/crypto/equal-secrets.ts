import { createHash, timingSafeEqual } from "node:crypto";

/** Compares what somebody presents with a secret, in a time that tells nothing about either. */
export function equalSecrets(presented: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented), digest(secret));
}
