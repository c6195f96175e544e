import type { Database } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";

/** Deletes hours that are older than the retention. */
export function reportSweeps(
  deps: { readonly database: Pick<Database, "transaction"> },
  retentionDays: number,
): readonly Sweep[] {
  const until = `(SELECT byond_now() - interval '${retentionDays} days')`;
  return ["verification_hour", "request_hour"].map((table) => sweepOldest(deps, { table, column: "hour", until }));
}
