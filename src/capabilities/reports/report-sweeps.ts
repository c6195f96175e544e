import type { Database, Queryable } from "../../database/database.ts";
import { integer, statement } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepBatchSize, sweepOldest } from "../../database/table-sweeps.ts";

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

const countRefunds = statement<{ taken: number }>("count_verification_refunds")(
  { batch: integer },
  (p) => `SELECT report_count_refunds(${p.batch}) AS taken`,
);

/**
 * Has reports subtract the prices that came back late: see `reports-0003.migration.ts`. The statement is its own transaction, so that a server that
 * stands still does not keep the lock of the numbering of events.
 */
export function refundSweep({ database }: { readonly database: Queryable }): Sweep {
  return {
    name: "verification_refund",
    async removeBatch() {
      const [row] = await database.run(countRefunds, { batch: sweepBatchSize });
      return row?.taken === sweepBatchSize;
    },
  };
}
