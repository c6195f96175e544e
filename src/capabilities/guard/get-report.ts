import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text, timestamptz } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import type { GuardReason } from "../../errors.ts";
import { boundsOf, type Period } from "../../rpc/report-period.ts";
import { reportRetentionDays } from "./guard.policy.ts";

interface RefusalCounts {
  readonly refused: number;
  readonly wouldRefuse: number;
}

interface GuardReport extends RefusalCounts {
  readonly periodStart: Date;
  readonly periodEnd: Date;
  /** The most frequent first. */
  readonly reasons: readonly (RefusalCounts & { readonly reason: GuardReason })[];
  /** The most frequent first. Empty: the numbers do not tell. */
  readonly countries: readonly (RefusalCounts & { readonly country: string })[];
}

interface Row extends RefusalCounts {
  readonly reason: GuardReason;
  readonly country: string;
}

const read = statement<Row>("read_guard_hours")(
  { workspaceId: text, mode: text, from: timestamptz, until: timestamptz },
  (p) => `
    SELECT reason, country, sum(refused)::float8 AS refused, sum(would_refuse)::float8 AS would_refuse
    FROM guard_hour
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND hour >= ${p.from} AND hour < ${p.until}
    GROUP BY 1, 2`,
);

/** What the guard refused in a workspace and mode, in a period that the current hour or day is part of. */
export async function getReport(
  { database, clock }: { readonly database: Queryable; readonly clock: Pick<Clock, "now"> },
  { workspaceId, mode, period }: { readonly workspaceId: string; readonly mode: Mode; readonly period: Period },
): Promise<GuardReport> {
  const { from, until } = boundsOf(period, clock.now());
  const rows = await database.run(read, { workspaceId, mode, from, until });
  return {
    periodStart: from,
    periodEnd: until,
    ...sum(rows),
    reasons: summed(rows, ({ reason }) => reason).map(([reason, counts]) => ({ reason, ...counts })),
    countries: summed(rows, ({ country }) => country).map(([country, counts]) => ({ country, ...counts })),
  };
}

function sum(rows: readonly RefusalCounts[]): RefusalCounts {
  return {
    refused: rows.reduce((total, { refused }) => total + refused, 0),
    wouldRefuse: rows.reduce((total, { wouldRefuse }) => total + wouldRefuse, 0),
  };
}

function summed<Key extends string>(rows: readonly Row[], keyOf: (row: Row) => Key): [Key, RefusalCounts][] {
  const total = ({ refused, wouldRefuse }: RefusalCounts) => refused + wouldRefuse;
  return [...Map.groupBy(rows, keyOf)]
    .map(([key, ofKey]): [Key, RefusalCounts] => [key, sum(ofKey)])
    .sort(([oneKey, one], [otherKey, other]) => total(other) - total(one) || (oneKey < otherKey ? -1 : 1));
}

/** Deletes hours that no report can ask for any more. */
export function reportSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  const until = `(SELECT byond_now() - interval '${reportRetentionDays} days')`;
  return sweepOldest(deps, { table: "guard_hour", column: "hour", until });
}
