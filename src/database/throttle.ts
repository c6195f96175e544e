import type { Database } from "./database.ts";
import type { Sweep } from "./sweeper.ts";
import { sweepPages } from "./table-sweeps.ts";

/**
 * GCRA, one token at a time, exact under any number of callers: `burst` at once, then one every `periodSeconds`. A key's
 * row holds its theoretical arrival time; taking a token is one upsert under the row's lock.
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

/** A limit that is the same for every run of a statement. */
export function constantLimit({ burst, periodSeconds }: ThrottleLimit): SqlThrottleLimit {
  return { burst: String(burst), period: `interval '${periodSeconds} seconds'` };
}

/** A limit that comes with the statement's values: SQL of an integer, and of seconds. */
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
   * SQL of a `text[]`: the keys of the bucket. It can be known by several names, one for each master secret: there is a token
   * if there is one under all of them, and it is taken under all of them, in the order given. One at least.
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
}

/**
 * Asks the buckets in their order, so that a refusal never spends the allowance of a later one; and takes nothing if one of
 * them is seen to be empty beforehand. `condition` is SQL that must hold for anything to be taken.
 */
export function askBuckets(buckets: readonly Bucket[], condition: string): BucketSteps {
  // One scan for the buckets of a workspace: each part of a plan costs some 10 µs, whether it does anything or not.
  const scans = [...Map.groupBy(buckets, ({ workspaceId }) => workspaceId)].map(([workspaceId, group], index) => {
    const tats = group.map(({ name, keys }) => `max(tat) FILTER (WHERE key = ANY (${keys})) AS ${name}`).join(", ");
    const keys = group.map((bucket) => bucket.keys).join(" || ");
    return `(SELECT ${tats} FROM throttle WHERE workspace_id = ${workspaceId} AND key = ANY (${keys})) AS found_${index}`;
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
  for (const { name, workspaceId, keys, limit } of buckets.filter(({ isTaken }) => isTaken)) {
    const from = `FROM unnest(${keys}) AS key WHERE ${before}`;
    steps.push(`${name}_token AS (${consumeToken({ workspaceId, key: "key", limit, from })})`);
    before = `(SELECT count(*) FROM ${name}_token) = cardinality(${keys})`;
  }
  return { ctes: steps.join(", "), allTaken: before };
}

interface TakeOptions {
  /** SQL of the workspace's id and of the key, such as `${p.workspaceId}` and `'send:' || ${p.index}`. */
  readonly workspaceId: string;
  readonly key: string;
  readonly limit: SqlThrottleLimit;
  /** SQL that follows `SELECT …` and decides whether a token is asked for at all: `FROM …` and `WHERE …`. */
  readonly from?: string;
}

/**
 * The text of a statement, to be used as a data-modifying CTE, that takes a token: it returns one row with the new `tat`
 * if there was one, and none (and changes nothing) if not.
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
