/** How often an attempt is repeated. Until when: the row's `expires_at`. */
const baseMs = 1_000;
const capMs = 10_000;

/**
 * How long to wait after attempt number `attempts` failed: 1 s, 2 s, 4 s, at most 10 s, since somebody waits for the
 * code; a random part of up to a half is taken off, so that what failed together does not come back together.
 */
export function backoffMs(attempts: number, random: () => number): number {
  const fullMs = Math.min(capMs, baseMs * 2 ** Math.max(0, attempts - 1));
  return Math.round(fullMs * (1 - random() / 2));
}
