import type { Database } from "../database/database.ts";
import type { Sweep } from "../database/sweeper.ts";
import { sweepOldest } from "../database/table-sweeps.ts";

/**
 * How long a used signature is kept. It would be accepted for ten minutes, from five before its time to five after it; the rest
 * allows for differing clocks.
 */
const kept = "interval '15 minutes'";

/** Deletes signatures that are no longer accepted anyway. */
export function usedSignatureSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  batchSize?: number,
): Sweep {
  const until = `(SELECT byond_now() - ${kept})`;
  return sweepOldest(deps, { table: "used_signature", column: "used_at", until }, batchSize);
}
