import { createHash, timingSafeEqual } from "node:crypto";

/** Compares a presented text with a secret. The time taken reveals nothing about the secret. */
export function equalSecrets(presented: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented), digest(secret));
}
