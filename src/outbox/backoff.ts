import { backoff } from "./outbox.policy.ts";

/**
 * How long to wait after attempt number `attempts` failed: 1 s, 2 s, 4 s, at most 10 s, because a person waits for the code.
 * Up to half of it is taken off at random, so that messages that failed together are not repeated together. Attempts end
 * when the row expires.
 */
export function backoffMs(attempts: number, random: () => number): number {
  const fullMs = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.max(0, attempts - 1));
  return Math.round(fullMs * (1 - random() / 2));
}
