import { limitLockWait, type Queryable } from "../../../database/database.ts";
import { array, double, integer, statement, text } from "../../../database/statement.ts";
import { askBuckets, boundLimit } from "../../../database/throttle.ts";
import { AppError } from "../../../errors.ts";
import { guessingRuleOfKey } from "./guess-source.ts";

/** SQL of the guard's mode of a workspace, given SQL of its id. */
export type GuardModeSql = (workspaceId: string) => string;

/**
 * SQL of a CTE `slowed` with one row: the `sources` of those asked for that are slowed, in their order, or null. One look-up for each
 * source; the guard's mode is read only if one is found.
 */
export const slowedSources = (p: { readonly workspaceId: string; readonly sources: string }, modeOf: GuardModeSql) => `
  slowed AS MATERIALIZED (
    SELECT array_agg(asked.source ORDER BY asked.place) AS sources
    FROM unnest(${p.sources}) WITH ORDINALITY AS asked (source, place), LATERAL (
      SELECT slowed_until FROM guess_source WHERE workspace_id = ${p.workspaceId} AND source = asked.source OFFSET 0
    ) AS found
    WHERE found.slowed_until > byond_now() AND ${modeOf(p.workspaceId)} = 'enforce'
  )`;

const takeToken = statement<{ isTaken: boolean; waitSeconds: number | null }>("take_check_token")(
  { workspaceId: text, keys: array(text), burst: integer, periodSeconds: double },
  (p) => {
    const limit = boundLimit(p.burst, p.periodSeconds);
    const bucket = { name: "checks", workspaceId: p.workspaceId, keys: p.keys, limit, isTaken: true };
    const { ctes, allTaken } = askBuckets([bucket], "EXISTS (SELECT FROM begun)");
    return `WITH ${limitLockWait}, ${ctes} SELECT ${allTaken} AS is_taken, (SELECT seconds FROM wait) AS wait_seconds`;
  },
);

/** Takes a token for a check from each slowed source. Throws `rate_limited` if one has none. */
export async function takeCheckTokens(
  database: Queryable,
  workspaceId: string,
  sources: readonly string[],
): Promise<void> {
  for (const source of sources) {
    const { burst, periodSeconds } = guessingRuleOfKey(source).checks;
    const [row] = await database.run(takeToken, { workspaceId, keys: [`check:${source}`], burst, periodSeconds });
    if (row?.isTaken !== true) {
      throw new AppError("rate_limited", "Too many wrong codes from this source. Try again later.", {
        retryAfterSeconds: row?.waitSeconds ?? Math.ceil(periodSeconds),
      });
    }
  }
}
