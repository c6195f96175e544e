import pg from "pg";

/** What a transaction is found by, later and over another connection. */
export interface TransactionIdentity {
  readonly id: string;
  /** On another timeline, the id may be that of another transaction. */
  readonly timeline: string;
}

/**
 * SQL of the timeline. PostgreSQL begins a new one when a standby becomes the primary, or a backup is restored, so when commits may be
 * missing and their ids are given out again; a restart, also after a crash, goes on with the same one. The checkpoint's
 * (`pg_control_checkpoint`) would be an old one for minutes after a failover.
 */
const timelineOfWal = "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)";

/** Where functions of the WAL are refused: in Amazon Aurora, whose hosts share their storage, so that a failover loses nothing. */
const noTimeline = "''";

/** SQL of the timeline that the database of this client can tell. */
export async function findTimeline(client: pg.ClientBase): Promise<string> {
  try {
    await client.query(`SELECT ${timelineOfWal}`);
    return timelineOfWal;
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      return noTimeline;
    }
    throw error;
  }
}

/** SQL of a `TransactionIdentity`. A standby refuses the id, as read-only, before the timeline. */
export function transactionIdentity(timeline: string): string {
  return `SELECT pg_current_xact_id()::text AS id, ${timeline} AS timeline`;
}

/** Of a text of several statements the driver returns a list of results, which its types do not say. The identity is the last. */
export function identityIn(answer: unknown): TransactionIdentity {
  const last: unknown = Array.isArray(answer) ? answer.at(-1)?.rows?.[0] : undefined;
  const { id, timeline }: Partial<Record<keyof TransactionIdentity, unknown>> = Object(last);
  if (typeof id !== "string" || typeof timeline !== "string") {
    throw new TypeError("BEGIN answered no transaction id");
  }
  return { id, timeline };
}
