import type { Database } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";

/** Deletes hours and days that are older than the retention. */
export function reportSweeps(
  deps: { readonly database: Pick<Database, "transaction"> },
  retentionDays: number,
): readonly Sweep[] {
  const until = `(SELECT byond_now() - interval '${retentionDays} days')`;
  const untilDay = `(SELECT (byond_now() AT TIME ZONE 'UTC')::date - ${retentionDays})`;
  // PostgreSQL uses the indexes of slots and days only if the condition has their predicate.
  return [
    sweepOldest(deps, { table: "verification_hour", column: "hour", until }),
    sweepOldest(deps, { table: "verification_slot", column: "slot", until: `${until} AND slot < 'infinity'` }),
    sweepOldest(deps, { table: "request_hour", column: "hour", until }),
    sweepOldest(deps, { table: "usage_day", column: "day", until: `${untilDay} AND day < 'infinity'` }),
  ];
}
