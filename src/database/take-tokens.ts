import type { Queryable } from "./database.ts";
import { boundLimit, hasToken, secondsUntilToken, type ThrottleLimit, takeToken } from "./throttle.ts";

/** What is counted together, and how much of it there may be. */
export interface Bucket {
  readonly key: string;
  readonly limit: ThrottleLimit;
}

const limits = { first: boundLimit("$3", "$4"), second: boundLimit("$6", "$7") };

const take = {
  name: "take_tokens",
  text: `
    WITH blocked AS (
      SELECT max(seconds) AS seconds FROM (
        SELECT ${secondsUntilToken("tat", limits.first)} AS seconds FROM throttle
        WHERE workspace_id = $1 AND key = $2 AND NOT ${hasToken("tat", limits.first)}
        UNION ALL
        SELECT ${secondsUntilToken("tat", limits.second)} FROM throttle
        WHERE workspace_id = $1 AND key = $5 AND NOT ${hasToken("tat", limits.second)}
      ) AS bucket
    ), first AS (
      ${takeToken({ workspaceId: "$1::text", key: "$2::text", limit: limits.first, from: "FROM blocked WHERE seconds IS NULL" })}
    ), second AS (
      ${takeToken({ workspaceId: "$1::text", key: "$5::text", limit: limits.second, from: "FROM first WHERE $5::text IS NOT NULL" })}
    )
    SELECT
      (SELECT seconds FROM blocked) AS blocked_seconds,
      EXISTS (SELECT FROM first) AND ($5::text IS NULL OR EXISTS (SELECT FROM second)) AS is_taken`,
};

/**
 * Takes a token of each bucket, in this order, if none of them is empty. Undefined if it did; else the seconds until it is
 * worth trying again. `realm` stands in for a workspace: the counts belong to none.
 */
export async function takeTokens(
  database: Queryable,
  realm: string,
  [first, second]: readonly [Bucket, Bucket?],
): Promise<number | undefined> {
  const [row] = await database.query<{ blocked_seconds: number | null; is_taken: boolean }>(take, [
    realm,
    first.key,
    first.limit.burst,
    first.limit.periodSeconds,
    second?.key ?? null,
    second?.limit.burst ?? null,
    second?.limit.periodSeconds ?? null,
  ]);
  // Where nothing was empty before, the last token was taken at the same moment: its own wait is not known here.
  return row?.is_taken === true ? undefined : (row?.blocked_seconds ?? 60);
}
