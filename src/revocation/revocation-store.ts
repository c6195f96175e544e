import { withoutDeadline } from "../database/call-deadline.ts";
import type { Database, Queryable, QueryableTables } from "../database/database.ts";
import { array, bigint, integer, jsonb, nullable, statement, text } from "../database/statement.ts";
import type { Sweep } from "../database/sweeper.ts";
import { runSweep, sweepBatchSize } from "../database/table-sweeps.ts";
import type { Revocation } from "./applied-revocations.ts";
import { clockOffsetMs } from "./clock-offset.ts";
import type { LeaseStore } from "./lease.ts";
import type { RevokerStore, ServerBehind } from "./revoker.ts";

/** The channel that every revocation notifies, without a payload: the revocations are read from the table. */
export const revocationChannel = "byond_revocation";

/** SQL of a moment in milliseconds since 1970. */
export function epochMs(moment: string): string {
  return `(extract(epoch FROM ${moment}) * 1000)::float8`;
}

/**
 * SQL that is true if the server of a row is alive and disagrees with a server that has the secrets `ids` (SQL of a `text[]`): one
 * of the two seals with a secret that the other does not know. A row that was not renewed for two leases is of a server that crashed.
 */
export function disagrees(row: string, ids: string): string {
  return `${row}.renewed_at > byond_now() - ${row}.lease_ms * interval '2 milliseconds'
    AND NOT (${row}.secret_ids[1] = ANY (${ids}) AND (${ids})[1] = ANY (${row}.secret_ids))`;
}

/** The advisory lock that is held from before a revocation gets its number until it is committed. */
const revocationLock = 7_269_341_951;

const register = statement<{ appliedSeq: string }>("revocation_register")(
  {
    id: text,
    leaseMs: integer,
    earlierIds: array(text),
    secretIds: nullable(array(text)),
    description: nullable(jsonb),
  },
  (p) => `
    WITH earlier AS (DELETE FROM server WHERE id = ANY (${p.earlierIds}))
    INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at, secret_ids, description)
    SELECT ${p.id}, ${p.leaseMs}, coalesce(max(seq), 0), pg_postmaster_start_time(), byond_now(), ${p.secretIds}, ${p.description}
    FROM revocation
    RETURNING applied_seq`,
);

/**
 * Finds no row if PostgreSQL was restarted since, or replaced by a standby: commits may be lost with an asynchronous failover, and
 * sequence numbers used again, so the server has to start over. It also finds none if the row has fewer renewals than this server
 * knows of: then the database was restored from a backup.
 *
 * Also returns, in the same round trip, what `ClockAndSecretCheck` compares.
 */
const renew = statement<{ renewals: string; nowMs: number; disagreeing: string[] }>("revocation_renew")(
  {
    id: text,
    appliedSequence: bigint,
    secretIds: nullable(array(text)),
    renewals: bigint,
    clockOffsetMs: nullable(integer),
  },
  (p) => `
    UPDATE server
    SET applied_seq = greatest(applied_seq, ${p.appliedSequence}), renewals = renewals + 1, renewed_at = byond_now(),
      clock_offset_ms = ${p.clockOffsetMs}
    WHERE id = ${p.id} AND database_started_at = pg_postmaster_start_time() AND renewals >= ${p.renewals}
    RETURNING
      renewals,
      ${epochMs("renewed_at")} AS now_ms,
      ARRAY(
        SELECT other.id FROM server AS other WHERE other.id <> ${p.id} AND ${disagrees("other", p.secretIds)}
      ) AS disagreeing`,
);

const revocationsAfter = statement<{ seq: string; subject: string }>("revocation_read")(
  { sequence: bigint },
  (p) => `SELECT seq, subject FROM revocation WHERE seq > ${p.sequence} ORDER BY seq`,
);

const remove = statement("revocation_remove_own")(
  { ids: array(text) },
  (p) => `DELETE FROM server WHERE id = ANY (${p.ids})`,
);

/** Keeps the newest revocation: servers register with its number. Leaves rows that another server has locked, which removes them. */
const sweep = statement<{ count: number }>("sweep_revocation")(
  {},
  () => `
    WITH swept AS (
      DELETE FROM revocation WHERE seq IN (
        SELECT seq FROM revocation WHERE seq < (SELECT min(applied_seq) FROM server) ORDER BY seq LIMIT ${sweepBatchSize}
        FOR UPDATE SKIP LOCKED
      )
      RETURNING 1
    )
    SELECT count(*)::integer AS count FROM swept`,
);

const lock = statement("revocation_lock")({}, () => `SELECT pg_advisory_xact_lock(${revocationLock})`);

const insert = statement<{ seq: string }>("revocation_insert")(
  { subjects: array(text) },
  (p) => `
    WITH inserted AS (
      INSERT INTO revocation (subject, created_at) SELECT unnest(${p.subjects}), byond_now() RETURNING seq
    )
    SELECT max(seq) AS seq, pg_notify('${revocationChannel}', '') FROM inserted`,
);

const lastSequence = statement<{ seq: string }>("revocation_last")(
  {},
  () => "SELECT coalesce(max(seq), 0) AS seq FROM revocation",
);

const serversBehind = statement<{ id: string; renewals: string; leaseMs: number }>("revocation_servers_behind")(
  { sequence: bigint },
  (p) => `SELECT id, renewals, lease_ms FROM server WHERE applied_seq < ${p.sequence}`,
);

/** A row that is being renewed is read again after the commit of the renewal, and kept. */
const removeUnrenewed = statement("revocation_remove_unrenewed")(
  { ids: array(text), renewals: array(bigint) },
  (p) => `
    DELETE FROM server USING unnest(${p.ids}, ${p.renewals}) AS seen (id, renewals)
    WHERE server.id = seen.id AND server.renewals = seen.renewals`,
);

/** What a renewal returns in addition. */
export interface RenewalReport {
  /** Ids of servers that seal with a secret that this one does not know, or the other way round. */
  readonly disagreeing: readonly string[];
  readonly databaseClockMs: number;
}

export interface LeaseStoreOptions {
  /** Of the master secrets, the current one first. Null: this process seals nothing. */
  readonly secretIds: readonly string[] | null;
  /** JSON of what the operator is told of this server. */
  readonly description: string | null;
  /** Called by each renewal. It must not throw. */
  readonly onRenewed: (report: RenewalReport, sentAtMs: number) => void;
  readonly wallMs: () => number;
}

/** The statements of a server's lease. Each has to be a transaction of its own. */
export function createLeaseStore(
  session: Queryable,
  {
    secretIds = null,
    description = null,
    onRenewed = () => undefined,
    wallMs = Date.now,
  }: Partial<LeaseStoreOptions> = {},
): LeaseStore {
  let known = { id: "", renewals: 0 };
  let lastOffsetMs: number | null = null;
  return {
    async register(id, leaseMs, earlierIds) {
      const [row] = await session.run(register, { id, leaseMs, earlierIds, secretIds, description });
      known = { id, renewals: 0 };
      return Number(row?.appliedSeq);
    },
    async renew(id, appliedSequence) {
      const sentAtMs = wallMs();
      const renewals = known.id === id ? known.renewals : 0;
      const values = { id, appliedSequence, secretIds, renewals, clockOffsetMs: lastOffsetMs };
      const [row] = await session.run(renew, values);
      if (row === undefined) {
        return false;
      }
      known = { id, renewals: Number(row.renewals) };
      lastOffsetMs = Math.round(clockOffsetMs(row.nowMs, sentAtMs, wallMs()));
      onRenewed({ disagreeing: row.disagreeing, databaseClockMs: row.nowMs }, sentAtMs);
      return true;
    },
    async revocationsAfter(sequence) {
      const rows = await session.run(revocationsAfter, { sequence });
      return rows.map((row): Revocation => ({ sequence: Number(row.seq), subject: row.subject }));
    },
    async remove(ids) {
      await session.run(remove, { ids });
    },
  };
}

/** Removes the revocations that every server has applied. */
export function revocationSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return {
    name: "revocation",
    async removeBatch() {
      return (await runSweep(deps, sweep, {}))?.count === sweepBatchSize;
    },
  };
}

/** The statements of a `Revoker`. */
export function createRevokerStore(database: Pick<Database, "run" | "transaction">): RevokerStore<QueryableTables> {
  return {
    transaction: (work) => database.transaction(work),
    async record(transaction, subjects) {
      // A statement of its own: the sequence number is taken while the lock is held.
      await transaction.run(lock, {});
      const [row] = await transaction.run(insert, { subjects: [...new Set(subjects)] });
      return Number(row?.seq);
    },
    async lastSequence() {
      const [row] = await database.run(lastSequence, {});
      return Number(row?.seq);
    },
    // The revocation is committed: from here on, a time-out of the call must not report that it failed.
    async serversBehind(sequence) {
      const rows = await withoutDeadline(() => database.run(serversBehind, { sequence }));
      return rows.map((row): ServerBehind => ({ ...row, renewals: Number(row.renewals) }));
    },
    async removeUnrenewed(servers) {
      const ids = servers.map((server) => server.id);
      const renewals = servers.map((server) => server.renewals);
      await withoutDeadline(() => database.run(removeUnrenewed, { ids, renewals }));
    },
  };
}
