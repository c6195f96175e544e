import type { Database } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import { windowSeconds } from "./traffic.policy.ts";

/** Deletes counts that are in no window any more. */
export function countSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  // PostgreSQL uses the index only if the condition has its predicate.
  const until = `(SELECT byond_now() - interval '${windowSeconds.long} seconds') AND at < 'infinity'`;
  return sweepOldest(deps, { table: "guard_count", column: "at", until });
}
