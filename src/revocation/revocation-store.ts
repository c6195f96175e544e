import { withoutDeadline } from "../database/call-deadline.ts";
import type { Database, Queryable } from "../database/database.ts";
import type { Sweep } from "../database/sweeper.ts";
import { runSweep, sweepBatchSize } from "../database/table-sweeps.ts";
import type { Revocation } from "./applied-revocations.ts";
import type { LeaseStore } from "./lease.ts";
import type { RevokerStore, ServerBehind } from "./revoker.ts";

/** Notified with every revocation, without any content: what there is to know is read from the table. */
export const revocationChannel = "byond_revocation";

/** SQL of a moment in milliseconds since 1970. */
export function epochMs(moment: string): string {
  return `(extract(epoch FROM ${moment}) * 1000)::float8`;
}

/**
 * SQL that is true if the server of a row is alive and does not agree with the secrets in `ids`, a `text[]`: one of the two
 * writes with a secret that the other does not know. A row that was not renewed for two leases is of a server that is gone.
 */
export function disagrees(row: string, ids: string): string {
  return `${row}.renewed_at > byond_now() - ${row}.lease_ms * interval '2 milliseconds'
    AND NOT (${row}.secret_ids[1] = ANY (${ids}::text[]) AND (${ids}::text[])[1] = ANY (${row}.secret_ids))`;
}

/** Held from before a revocation gets its number until it is committed. */
const revocationLock = 7_269_341_951;

const register = {
  name: "revocation_register",
  text: `
    WITH earlier AS (DELETE FROM server WHERE id = ANY($3))
    INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at, secret_ids)
    SELECT $1, $2, coalesce(max(seq), 0), pg_postmaster_start_time(), byond_now(), $4 FROM revocation
    RETURNING applied_seq`,
};

/**
 * Finds no row if PostgreSQL was started since, or if this is another one that took its place: what was committed before
 * an asynchronous failover may be gone, and numbers may be used again, so the server has to start over. So it has if the row
 * was renewed more often before: it came out of a backup.
 *
 * Answers as well what the server should know of the others, in the same round trip.
 */
const renew = {
  name: "revocation_renew",
  text: `
    UPDATE server
    SET applied_seq = greatest(applied_seq, $2), renewals = renewals + 1, renewed_at = byond_now()
    WHERE id = $1 AND database_started_at = pg_postmaster_start_time() AND renewals >= $4
    RETURNING
      renewals,
      ${epochMs("renewed_at")} AS now_ms,
      ARRAY(SELECT other.id FROM server AS other WHERE other.id <> $1 AND ${disagrees("other", "$3")}) AS disagreeing`,
};

const revocationsAfter = {
  name: "revocation_read",
  text: "SELECT seq, subject FROM revocation WHERE seq > $1 ORDER BY seq",
};

const remove = { name: "revocation_remove_own", text: "DELETE FROM server WHERE id = ANY($1)" };

/** Keeps the newest: servers register with its number. Rows that somebody holds are left: another server removes them. */
const sweep = {
  name: "sweep_revocation",
  text: `
    WITH swept AS (
      DELETE FROM revocation WHERE seq IN (
        SELECT seq FROM revocation WHERE seq < (SELECT min(applied_seq) FROM server) ORDER BY seq LIMIT ${sweepBatchSize}
        FOR UPDATE SKIP LOCKED
      )
      RETURNING 1
    )
    SELECT count(*)::integer AS count FROM swept`,
};

const lock = { name: "revocation_lock", text: "SELECT pg_advisory_xact_lock($1)" };

const insert = {
  name: "revocation_insert",
  text: `
    WITH inserted AS (
      INSERT INTO revocation (subject, created_at) SELECT unnest($1::text[]), byond_now() RETURNING seq
    )
    SELECT max(seq) AS seq, pg_notify('${revocationChannel}', '') FROM inserted`,
};

const lastSequence = { name: "revocation_last", text: "SELECT coalesce(max(seq), 0) AS seq FROM revocation" };

const serversBehind = {
  name: "revocation_servers_behind",
  text: "SELECT id, renewals, lease_ms FROM server WHERE applied_seq < $1",
};

/** A row that is being renewed is looked at again once that is committed, and stays. */
const removeUnrenewed = {
  name: "revocation_remove_unrenewed",
  text: `
    DELETE FROM server USING unnest($1::text[], $2::bigint[]) AS seen (id, renewals)
    WHERE server.id = seen.id AND server.renewals = seen.renewals`,
};

/** What a renewal tells beside the lease. */
export interface RenewalReport {
  /** Of servers that write with a secret that this one does not know, or the other way round. */
  readonly disagreeing: readonly string[];
  readonly databaseClockMs: number;
}

export interface LeaseStoreOptions {
  /** Of the master secrets, the current one first. Null: nothing is written with them. */
  readonly secretIds: readonly string[] | null;
  /** Called by each renewal. It must not throw. */
  readonly onRenewed: (report: RenewalReport, sentAtMs: number) => void;
  readonly wallMs: () => number;
}

/** The statements of a server's lease. Each has to be a transaction of its own. */
export function createLeaseStore(
  session: Queryable,
  { secretIds = null, onRenewed = () => undefined, wallMs = Date.now }: Partial<LeaseStoreOptions> = {},
): LeaseStore {
  let known = { id: "", renewals: 0 };
  return {
    async register(id, leaseMs, earlierIds) {
      const [row] = await session.query<{ applied_seq: string }>(register, [id, leaseMs, earlierIds, secretIds]);
      known = { id, renewals: 0 };
      return Number(row?.applied_seq);
    },
    async renew(id, appliedSequence) {
      const sentAtMs = wallMs();
      const [row] = await session.query<{ renewals: string; now_ms: number; disagreeing: string[] }>(renew, [
        id,
        appliedSequence,
        secretIds,
        known.id === id ? known.renewals : 0,
      ]);
      if (row === undefined) {
        return false;
      }
      known = { id, renewals: Number(row.renewals) };
      onRenewed({ disagreeing: row.disagreeing, databaseClockMs: row.now_ms }, sentAtMs);
      return true;
    },
    async revocationsAfter(sequence) {
      const rows = await session.query<{ seq: string; subject: string }>(revocationsAfter, [sequence]);
      return rows.map((row): Revocation => ({ sequence: Number(row.seq), subject: row.subject }));
    },
    async remove(ids) {
      await session.query(remove, [ids]);
    },
  };
}

/** Removes the revocations that every server has applied. */
export function revocationSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return {
    name: "revocation",
    async removeBatch() {
      return (await runSweep<{ count: number }>(deps, sweep, []))?.count === sweepBatchSize;
    },
  };
}

/** The statements of those who revoke. */
export function createRevokerStore(database: Pick<Database, "query" | "run" | "transaction">): RevokerStore<Queryable> {
  return {
    transaction: (work) => database.transaction(work),
    async record(transaction, subjects) {
      // A statement of its own: the number is taken when the lock is held.
      await transaction.query(lock, [revocationLock]);
      const [row] = await transaction.query<{ seq: string }>(insert, [[...new Set(subjects)]]);
      return Number(row?.seq);
    },
    async lastSequence() {
      const [row] = await database.query<{ seq: string }>(lastSequence, []);
      return Number(row?.seq);
    },
    // The revocation is made: whoever waits for it is not told that it was not.
    async serversBehind(sequence) {
      const rows = await withoutDeadline(() =>
        database.query<{ id: string; renewals: string; lease_ms: number }>(serversBehind, [sequence]),
      );
      return rows.map((row): ServerBehind => ({ id: row.id, renewals: Number(row.renewals), leaseMs: row.lease_ms }));
    },
    async removeUnrenewed(servers) {
      const ids = servers.map((server) => server.id);
      const renewals = servers.map((server) => String(server.renewals));
      await withoutDeadline(() => database.query(removeUnrenewed, [ids, renewals]));
    },
  };
}
