/**
 * GCRA, one token at a time, exact under any number of callers: `burst` at once, then one every `periodSeconds`. A key's
 * row holds its theoretical arrival time; taking a token is one upsert under the row's lock.
 */
export interface ThrottleLimit {
  readonly burst: number;
  readonly periodSeconds: number;
}

interface TakeOptions {
  /** SQL of the workspace's id and of the key, such as `$1` and `'recipient:' || $2`. */
  readonly workspaceId: string;
  readonly key: string;
  readonly limit: ThrottleLimit;
  /** SQL that follows `SELECT …` and decides whether a token is asked for at all: `FROM …` and `WHERE …`. */
  readonly from?: string;
}

/**
 * The text of a statement, to be used as a data-modifying CTE, that takes a token: it returns one row with the new `tat`
 * if there was one, and none (and changes nothing) if not.
 */
export function takeToken(options: TakeOptions): string {
  return `
    INSERT INTO throttle AS bucket (workspace_id, key, tat)
    SELECT ${options.workspaceId}, ${options.key}, byond_now() + ${period(options.limit)}
    ${options.from ?? ""}
    ON CONFLICT (workspace_id, key) DO UPDATE
      SET tat = greatest(bucket.tat, byond_now()) + ${period(options.limit)}
      WHERE ${hasToken("bucket.tat", options.limit)}
    RETURNING tat`;
}

/** SQL that tells whether a bucket with this theoretical arrival time has a token now. */
export function hasToken(tat: string, limit: ThrottleLimit): string {
  return `${tat} <= byond_now() + ${limit.burst - 1} * ${period(limit)}`;
}

/** SQL of the whole seconds until a bucket with this theoretical arrival time has a token again; at least 1. */
export function secondsUntilToken(tat: string, limit: ThrottleLimit): string {
  const wait = `extract(epoch FROM ${tat} - ${limit.burst - 1} * ${period(limit)} - byond_now())`;
  return `greatest(1, ceil(${wait}))::integer`;
}

/** SQL of the time that a token takes to come back. */
export function period(limit: ThrottleLimit): string {
  return `interval '${limit.periodSeconds} seconds'`;
}
