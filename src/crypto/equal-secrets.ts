import { createHash, timingSafeEqual } from "node:crypto";

/** Compares a presented text with a secret. The time taken does not depend on their content or length. */
export function equalSecrets(presented: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented), digest(secret));
}
