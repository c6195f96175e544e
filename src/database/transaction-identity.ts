import pg from "pg";

/** What a transaction is found by, later and over another connection. */
export interface TransactionIdentity {
  readonly id: string;
  /** Of the database. In another incarnation, the id may be that of another transaction. */
  readonly incarnation: string;
}

/**
 * SQL of when PostgreSQL last lost its statistics. It keeps them over a restart and loses them in a crash, as it does transactions that were not on
 * the disk, whose ids it gives out again.
 */
const lastCrash = "coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, '')";

/**
 * SQL of the timeline. PostgreSQL begins a new one when a standby becomes the primary, or a backup is restored: then commits may be missing, too. The
 * checkpoint's (`pg_control_checkpoint`) would be an old one for minutes after a failover.
 */
const timeline = "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)";

/**
 * SQL of the incarnation that the database of this client can tell. Functions of the WAL are refused in Amazon Aurora, whose hosts share their storage,
 * so that a failover loses nothing.
 */
export async function findIncarnation(client: pg.ClientBase): Promise<string> {
  try {
    await client.query(`SELECT ${timeline}`);
    return `concat_ws(' ', ${timeline}, ${lastCrash})`;
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      return lastCrash;
    }
    throw error;
  }
}

/** SQL of a `TransactionIdentity`. A standby refuses the id, as read-only, before the timeline. */
export function transactionIdentity(incarnation: string): string {
  return `SELECT pg_current_xact_id()::text AS id, ${incarnation} AS incarnation`;
}

/** Of a text of several statements the driver returns a list of results, which its types do not say. The identity is the last. */
export function identityIn(answer: unknown): TransactionIdentity {
  const last: unknown = Array.isArray(answer) ? answer.at(-1)?.rows?.[0] : undefined;
  const { id, incarnation }: Partial<Record<keyof TransactionIdentity, unknown>> = Object(last);
  if (typeof id !== "string" || typeof incarnation !== "string") {
    throw new TypeError("BEGIN answered no transaction id");
  }
  return { id, incarnation };
}
