import type { Queryable } from "./database.ts";

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

/** A limit that comes with the statement's values; the placeholders are of an integer and of seconds. */
export function boundLimit(burst: string, periodSeconds: string): SqlThrottleLimit {
  return { burst: `${burst}::integer`, period: `(${periodSeconds}::double precision * interval '1 second')` };
}

interface TakeOptions {
  /** SQL of the workspace's id and of the key, such as `$1` and `'send:' || $2`. */
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
export function takeToken({ workspaceId, key, limit, from = "" }: TakeOptions): string {
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

const sweep = {
  name: "sweep_throttle",
  text: `
    DELETE FROM throttle WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM throttle WHERE tat < byond_now() LIMIT 1000 FOR UPDATE SKIP LOCKED
    ))`,
};

/** Deletes up to a thousand buckets that are full again: an absent bucket is a full one. */
export async function sweepThrottle(database: Queryable): Promise<void> {
  await database.query(sweep, []);
}
