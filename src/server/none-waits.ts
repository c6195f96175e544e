import { setImmediate as nextTurn } from "node:timers/promises";

/** A turn of the event loop in which not much can have happened meanwhile. */
const SHORT_TURN_MS = 0.1;

/**
 * Resolves in a moment in which hardly any connection waits to be accepted, or after `withinMs`: the kernel resets those when the listener
 * closes, and a proxy in front does not repeat a POST that it has sent on one. What has arrived on open connections has been read by then.
 * `accepted`: how many connections were accepted so far. `held`: how many of them nobody serves yet.
 */
export async function untilNoneWaits(accepted: () => number, withinMs: number, held = () => 0): Promise<void> {
  const endsAtMs = performance.now() + withinMs;
  // The first turn may be the rest of the one that this is called in, which accepts nothing.
  await nextTurn();
  for (let isQuiet = false; !isQuiet && performance.now() < endsAtMs; ) {
    const [before, beganAtMs] = [accepted(), performance.now()];
    await nextTurn();
    // During a long turn, others may have come.
    isQuiet = held() === 0 && accepted() === before && performance.now() - beganAtMs < SHORT_TURN_MS;
  }
}
