import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { boolean, integer, statement, text } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";
import { maxUsageGroups } from "./reports.policy.ts";

/** What usage can be grouped by. */
export const usageFields = ["day", "channel", "country", "keyId"] as const;
export type UsageField = (typeof usageFields)[number];

export interface UsageDependencies {
  readonly database: Queryable;
  /** Adds the lookups that this server has counted to the usage. */
  readonly countUsage: () => Promise<void>;
}

export interface UsageInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** The first and the last day (UTC). */
  readonly from: string;
  readonly until: string;
  readonly groupBy: ReadonlySet<UsageField>;
}

/** Fields that are not grouped by are undefined. Empty: see `UsageDayEntity`. */
export interface UsageGroup extends Partial<Readonly<Record<UsageField, string>>> {
  readonly messages: number;
  readonly lookups: number;
}

type GroupRow = Readonly<Record<UsageField, string>> & Pick<UsageGroup, "messages" | "lookups">;

const fieldIf = (isAsked: string, value: string, name: string) =>
  `CASE WHEN ${isAsked} THEN ${value} ELSE '' END AS ${name}`;

const readGroups = statement<GroupRow>("read_usage_days")(
  {
    workspaceId: text,
    mode: text,
    from: text,
    until: text,
    byDay: boolean,
    byChannel: boolean,
    byCountry: boolean,
    byKey: boolean,
    limit: integer,
  },
  (p) => `
    SELECT
      ${fieldIf(p.byDay, "to_char(day, 'YYYY-MM-DD')", "day")}, ${fieldIf(p.byChannel, "channel", "channel")},
      ${fieldIf(p.byCountry, "country", "country")}, ${fieldIf(p.byKey, "key_id", "key_id")},
      coalesce(sum(number) FILTER (WHERE channel <> ''), 0)::float8 AS messages,
      coalesce(sum(number) FILTER (WHERE channel = ''), 0)::float8 AS lookups
    FROM usage_day
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND day BETWEEN ${p.from}::date AND ${p.until}::date
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    LIMIT ${p.limit}`,
);

/**
 * What was used in some days, by group. It reads sums, one row for each day and combination. Throws `validation_error` if there are more groups than an
 * answer has.
 */
export async function getUsage(
  { database, countUsage }: UsageDependencies,
  { workspaceId, mode, from, until, groupBy }: UsageInput,
): Promise<readonly UsageGroup[]> {
  await countUsage();
  const rows = await database.run(readGroups, {
    workspaceId,
    mode,
    from,
    until,
    byDay: groupBy.has("day"),
    byChannel: groupBy.has("channel"),
    byCountry: groupBy.has("country"),
    byKey: groupBy.has("keyId"),
    limit: maxUsageGroups + 1,
  });
  if (rows.length > maxUsageGroups) {
    const problem = `makes more than ${maxUsageGroups.toLocaleString("en")} groups of this usage: ask for fewer days or fields`;
    throw invalidFields({ group_by: problem });
  }
  return rows.map(({ messages, lookups, ...values }) => ({
    messages,
    lookups,
    ...Object.fromEntries(usageFields.filter((field) => groupBy.has(field)).map((field) => [field, values[field]])),
  }));
}
