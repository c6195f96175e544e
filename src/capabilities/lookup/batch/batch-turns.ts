import { setImmediate as nextTurn } from "node:timers/promises";
import { FairQueue } from "../../../crypto/fair-queue.ts";
import { AppError } from "../../../errors.ts";

/** How long lists keep the event loop at a time. Decision 65 has the measurements. */
export const sliceMs = 0.1;

/** Lists of one workspace and others that wait for their next turn. */
const maxWaiting = 64;
/** Less than the deadline of a call. */
const maxWaitMs = 5_000;

/**
 * Shares the event loop between lists of numbers and all other calls: lists take turns by workspace, and in each turn of the event loop one
 * of them works for `sliceMs`.
 */
export class BatchTurns {
  readonly #queue = new FairQueue({
    concurrency: 1,
    maxWaiting,
    maxWaitMs,
    busy: () =>
      new AppError("unavailable", "Too many lists of numbers are being looked up. Try again shortly.", {
        retryAfterSeconds: 1,
      }),
  });

  /** Runs work of at most `sliceMs` when its turn comes. Throws `unavailable` if too much work waits, or if it waited for too long. */
  run(workspaceId: string, work: () => void): Promise<void> {
    return this.#queue.run(
      async () => {
        await nextTurn();
        work();
      },
      { source: workspaceId },
    );
  }
}
