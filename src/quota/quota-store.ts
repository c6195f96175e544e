import type { Database, Queryable } from "../database/database.ts";
import { bigint, integer, statement, text } from "../database/statement.ts";
import type { Sweep } from "../database/sweeper.ts";
import { sweepPages } from "../database/table-sweeps.ts";
import { spareDivisor } from "./quota.policy.ts";

/** Requests that are counted together, and their limit. */
export interface QuotaSubject {
  readonly workspaceId: string;
  /** Unique in the workspace: `workspace`, `key:<id>`, or `source:<address>`, and of publishable keys `publishable-keys` and `publishable-source:<address>`. */
  readonly key: string;
  /** Requests in any 60 seconds, at least 1. */
  readonly limitPerMinute: number;
}

/** Tokens of an earlier batch that were not used. They are charged no longer. */
export interface Leftover {
  readonly tokens: number;
  readonly chargedSecond: number;
}

/** What a server asks the database for: tokens for a subject. */
export interface QuotaReservation {
  readonly subject: QuotaSubject;
  /** Requests that wait. They get every token there is. */
  readonly needed: number;
  /** Tokens for requests to come. They get at most a quarter of what is left. */
  readonly spare: number;
  /** How long the tokens must be usable at least, 0 to 9,000. */
  readonly lifeMs: number;
  readonly leftover: Leftover | undefined;
}

/** The tokens that a reservation got. */
export interface QuotaGrant {
  /** May be less than asked for, and 0. Less than `needed` means that the limit is reached. */
  readonly tokens: number;
  /** The second of the database's clock (since 1970) that they are charged to: the last one they may be used in. */
  readonly chargedSecond: number;
  /** What the database's clock said, in milliseconds since 1970, between the sending of the request and its answer. */
  readonly takenAtMs: number;
  /** What is charged, to the oldest second that counts and the 69 after it. */
  readonly counts: readonly number[];
}

/** The counts of all servers together. */
export interface QuotaStore {
  reserve(reservation: QuotaReservation): Promise<QuotaGrant>;
}

/**
 * A row has 70 buckets of one second. 61 of them count (60 seconds, and the current one as a whole); the other 9 are for the seconds
 * ahead, to which a token may be charged.
 *
 * One upsert under the row's lock. Its clock is read inside the sub-select of SET, which runs once the lock is held: two
 * reservations are ordered by the lock, and so are their readings.
 *
 * After a step of the clock back by up to 70 seconds, the time of the row stands still, which only keeps charges for longer. After a
 * larger step the counts move with the clock, so that a clock that was hours ahead for a moment does not refuse requests for hours.
 */
const reserve = statement<ReservationRow>("quota_reserve")(
  {
    workspaceId: text,
    key: text,
    limit: integer,
    needed: integer,
    spare: integer,
    lifeMs: integer,
    leftoverTokens: integer,
    leftoverSecond: bigint,
  },
  (p) => `
    INSERT INTO quota AS bucket (workspace_id, key, taken_at, granted, counts)
    SELECT ${p.workspaceId}, ${p.key}, now, granted,
      array_fill(0, ARRAY[60 + ahead]) || granted || array_fill(0, ARRAY[9 - ahead])
    FROM (SELECT byond_now() AS now) AS clock,
      LATERAL (SELECT least(${p.limit}, ${p.needed}) AS granted, ${ahead("now", p.lifeMs)} AS ahead) AS first
    ON CONFLICT (workspace_id, key) DO UPDATE SET (taken_at, granted, counts) = (
      SELECT now, granted,
        counts[1 : 60 + ahead] || counts[61 + ahead] + granted || counts[62 + ahead : 70]
      FROM (SELECT byond_now() AS reading) AS clock,
        LATERAL (SELECT CASE
          WHEN bucket.taken_at > reading + interval '70 seconds' THEN reading
          ELSE greatest(reading, bucket.taken_at)
        END AS now) AS moment,
        LATERAL (SELECT
          greatest(0, least(70, ${second("now")} - ${second("bucket.taken_at")}))::int AS age,
          61 + ${p.leftoverSecond} - ${second("now")} AS returned_position,
          ${ahead("now", p.lifeMs)} AS ahead
        ) AS place,
        LATERAL (
          SELECT
            array_agg(kept ORDER BY position) AS counts,
            greatest(0, ${p.limit} - sum(kept))::int AS free
          FROM unnest((bucket.counts || array_fill(0, ARRAY[70]))[1 + age : 70 + age])
              WITH ORDINALITY AS aged (count, position),
            LATERAL (SELECT CASE
              WHEN position = returned_position THEN greatest(0, count - ${p.leftoverTokens})
              ELSE count
            END AS kept) AS returned
        ) AS kept,
        LATERAL (SELECT least(free, ${p.needed} + least(${p.spare}, greatest(0, free - ${p.needed}) / ${spareDivisor})) AS granted) AS result
    )
    RETURNING
      granted,
      counts,
      (extract(epoch FROM taken_at) * 1000)::float8 AS taken_at_ms,
      ${ahead("taken_at", p.lifeMs)} AS ahead`,
);

/** SQL of the second since 1970 that a moment lies in. */
function second(moment: string): string {
  return `floor(extract(epoch FROM ${moment}))::bigint`;
}

/** SQL of how many seconds ahead of `moment` the tokens are charged. */
function ahead(moment: string, lifeMs: string): string {
  return `(${second(`${moment} + ${lifeMs} * interval '1 millisecond'`)} - ${second(moment)})::int`;
}

interface ReservationRow {
  readonly granted: number;
  readonly counts: number[];
  readonly takenAtMs: number;
  readonly ahead: number;
}

/** The counts in PostgreSQL. */
export function databaseQuotaStore(database: Queryable): QuotaStore {
  return {
    async reserve({ subject, needed, spare, lifeMs, leftover }) {
      const { workspaceId, key, limitPerMinute: limit } = subject;
      const { tokens: leftoverTokens, chargedSecond: leftoverSecond } = leftover ?? { tokens: 0, chargedSecond: 0 };
      const values = { workspaceId, key, limit, needed, spare, lifeMs, leftoverTokens, leftoverSecond };
      const [row] = await database.run(reserve, values);
      if (row === undefined) {
        throw new TypeError("the upsert of a quota returned no row");
      }
      return {
        tokens: row.granted,
        chargedSecond: Math.floor(row.takenAtMs / 1_000) + row.ahead,
        takenAtMs: row.takenAtMs,
        counts: row.counts,
      };
    },
  };
}

/** Deletes rows whose counts are all too old to count: an absent row means that nothing is charged. */
export function quotaSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepPages(deps, { table: "quota", isStale: "taken_at < (SELECT byond_now() - interval '1 hour')" });
}
