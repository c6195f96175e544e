/**
 * The throttle: token buckets in the table `throttle`, as SQL for statements of capabilities. `consume-tokens.ts` asks buckets in
 * a statement of its own; requests a minute are counted elsewhere (`quota/`).
 *
 * ```ts
 * const sendLimit = constantLimit({ burst: 3, periodSeconds: 60 });
 * const send = statement<{ isSent: boolean; waitSeconds: number | null }>("send_badge")(
 *   { workspaceId: text, keys: array(text) },
 *   (p) => {
 *     const bucket = { name: "recipient", workspaceId: p.workspaceId, keys: p.keys, limit: sendLimit, isTaken: true };
 *     const { ctes, allTaken } = askBuckets([bucket], "true");
 *     return `
 *       WITH ${ctes}, sent AS (INSERT INTO … SELECT … WHERE ${allTaken} RETURNING id)
 *       SELECT EXISTS (SELECT FROM sent) AS is_sent, (SELECT seconds FROM wait) AS wait_seconds`;
 *   },
 * );
 * ```
 */
import type { Database } from "./database.ts";
import type { Sweep } from "./sweeper.ts";
import { sweepPages } from "./table-sweeps.ts";

/**
 * A limit by GCRA, exact under any number of callers: `burst` tokens at once, then one every `periodSeconds`. A bucket's row holds
 * its theoretical arrival time; consuming a token is one upsert under the row's lock.
 */
export interface ThrottleLimit {
  readonly burst: number;
  readonly periodSeconds: number;
}

/** A limit as SQL: the burst as a number, and the time that a token takes to come back as an interval. */
export interface SqlThrottleLimit {
  readonly burst: string;
  readonly period: string;
}

/** SQL of a limit that is the same for every run of a statement. */
export function constantLimit({ burst, periodSeconds }: ThrottleLimit): SqlThrottleLimit {
  return { burst: String(burst), period: `interval '${periodSeconds} seconds'` };
}

/** SQL of a limit that comes with the values of a statement, given SQL of an integer and of seconds. */
export function boundLimit(burst: string, periodSeconds: string): SqlThrottleLimit {
  return { burst, period: `(${periodSeconds} * interval '1 second')` };
}

/** A bucket that a statement asks for a token. */
export interface Bucket {
  /** What the statement's answer calls it: an SQL identifier. */
  readonly name: string;
  /** SQL of the workspace's id. */
  readonly workspaceId: string;
  /**
   * SQL of a `text[]`: the keys of the bucket, at least one. A bucket may have several keys, one for each master secret: it has a
   * token if all of them have one, and the token is taken from all of them, in the order given.
   */
  readonly keys: string;
  readonly limit: SqlThrottleLimit;
  /** Whether a token is taken, or only looked for. */
  readonly isTaken: boolean;
}

/** Parts of a statement that asks several buckets, one after the other. */
export interface BucketSteps {
  /**
   * The text of CTEs, to stand after `WITH` or a comma. `wait` is what was found before anything was taken: the first
   * `bucket` that has no token, and for how many `seconds`.
   */
  readonly ctes: string;
  /** SQL that is true once every bucket gave its token. What asks it waits for the locks of them all. */
  readonly allTaken: string;
  /** The CTEs that take tokens. */
  readonly changes: readonly string[];
}

/**
 * Asks the buckets in their order, so that a refusal takes no token of a later one. Takes nothing at all if one of them was empty
 * before. `condition` is SQL that must hold for anything to be taken.
 */
export function askBuckets(buckets: readonly Bucket[], condition: string): BucketSteps {
  // One scan for the buckets of a workspace: each part of a plan costs some 10 µs, whether it does anything or not.
  const scans = [...Map.groupBy(buckets, ({ workspaceId }) => workspaceId)].map(([workspaceId, group], index) => {
    const tats = group.map(({ name, keys }) => `max(tat) FILTER (WHERE key = ANY (${keys})) AS ${name}`).join(", ");
    const keys = group.map((bucket) => bucket.keys).join(" || ");
    // A look-up for each key: `key = ANY (…)` reads the whole table if it was planned while the table was small.
    return `(
      SELECT ${tats} FROM unnest(${keys}) AS asked (key),
        LATERAL (SELECT tat FROM throttle WHERE workspace_id = ${workspaceId} AND key = asked.key OFFSET 0) AS bucket
    ) AS found_${index}`;
  });
  const isEmpty = ({ name, limit }: Bucket) => `${name} IS NOT NULL AND NOT ${hasToken(name, limit)}`;
  const firstEmpty = (value: (bucket: Bucket) => string) =>
    `CASE ${buckets.map((bucket) => `WHEN ${isEmpty(bucket)} THEN ${value(bucket)}`).join(" ")} END`;
  const steps = [
    `tats AS MATERIALIZED (SELECT * FROM ${scans.join(", ")})`,
    `wait AS MATERIALIZED (
      SELECT
        ${firstEmpty(({ name }) => `'${name}'`)} AS bucket,
        ${firstEmpty(({ name, limit }) => secondsUntilToken(name, limit))} AS seconds
      FROM tats WHERE ${buckets.map((bucket) => `(${isEmpty(bucket)})`).join(" OR ")}
    )`,
  ];
  let before = `${condition} AND NOT EXISTS (SELECT FROM wait)`;
  const changes: string[] = [];
  for (const { name, workspaceId, keys, limit } of buckets.filter(({ isTaken }) => isTaken)) {
    changes.push(`${name}_token`);
    const from = `FROM unnest(${keys}) AS key WHERE ${before}`;
    steps.push(`${name}_token AS (${consumeToken({ workspaceId, key: "key", limit, from })})`);
    before = `(SELECT count(*) FROM ${name}_token) = cardinality(${keys})`;
  }
  return { ctes: steps.join(", "), allTaken: before, changes };
}

interface TakeOptions {
  /** SQL of the workspace's id and of the key, such as `${p.workspaceId}` and `'send:' || ${p.index}`. */
  readonly workspaceId: string;
  readonly key: string;
  readonly limit: SqlThrottleLimit;
  /** SQL after `SELECT …` that decides whether a token is asked for at all: `FROM …` and `WHERE …`. */
  readonly from?: string;
}

/**
 * The text of a data-modifying CTE that consumes a token. It returns one row, with the new `tat`, if there was a token; otherwise
 * it returns none and changes nothing.
 */
export function consumeToken({ workspaceId, key, limit, from = "" }: TakeOptions): string {
  return `
    INSERT INTO throttle AS bucket (workspace_id, key, tat)
    SELECT ${workspaceId}, ${key}, byond_now() + ${limit.period}
    ${from}
    ON CONFLICT (workspace_id, key) DO UPDATE
      SET tat = greatest(bucket.tat, byond_now()) + ${limit.period}
      WHERE ${hasToken("bucket.tat", limit)}
    RETURNING tat`;
}

/** SQL that tells whether a bucket with this theoretical arrival time has a token now. */
export function hasToken(tat: string, { burst, period }: SqlThrottleLimit): string {
  return `${tat} <= byond_now() + (${burst} - 1) * ${period}`;
}

/** SQL of the whole seconds until a bucket with this theoretical arrival time has a token again; at least 1. */
export function secondsUntilToken(tat: string, { burst, period }: SqlThrottleLimit): string {
  return `greatest(1, ceil(extract(epoch FROM ${tat} - (${burst} - 1) * ${period} - byond_now())))::integer`;
}

/** Removes buckets that are full again: an absent bucket is a full one. */
export function throttleSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepPages(deps, { table: "throttle", isStale: "tat < (SELECT byond_now())" });
}
