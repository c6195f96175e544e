import type { Database } from "../../../database/database.ts";
import type { Sweep } from "../../../database/sweeper.ts";
import { sweepOldest } from "../../../database/table-sweeps.ts";

/** Removes lookups of more than `retentionDays` ago from the history. */
export function lookupSweep(deps: { readonly database: Pick<Database, "transaction"> }, retentionDays: number): Sweep {
  return sweepOldest(deps, {
    table: "lookup",
    column: "created_at",
    // The second condition is the predicate of the index.
    until: `(SELECT byond_now() - ${retentionDays} * interval '1 day') AND created_at < 'infinity'`,
  });
}
