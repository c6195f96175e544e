import type { Sweep } from "../../src/database/sweeper.ts";

/** Runs a sweep until nothing is left for it. */
export async function sweepAll(sweep: Sweep): Promise<void> {
  while (await sweep.removeBatch());
}
