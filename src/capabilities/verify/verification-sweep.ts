import type { Database } from "../../database/database.ts";
import { integer, statement } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { runSweep } from "../../database/table-sweeps.ts";
import type { EventLog } from "../../events/event-log.ts";
import { ownRetentionDays } from "./verify.policy.ts";

/** Small, so that no statement holds its locks for long. */
const batchSize = 500;

const sweep = (name: string, condition: string) =>
  statement<{ swept: number }>(name)(
    { days: integer },
    (p) => `
    WITH old AS (
      SELECT workspace_id, id FROM verification
      WHERE created_at < (SELECT byond_now() - ${p.days} * interval '1 day') AND ${condition}
      ORDER BY created_at LIMIT ${batchSize}
      FOR UPDATE SKIP LOCKED
    ), attempts AS (
      DELETE FROM delivery_attempt USING old
      WHERE delivery_attempt.workspace_id = old.workspace_id AND delivery_attempt.subject_id = old.id
    ), messages AS (
      DELETE FROM outbox USING old
      WHERE outbox.workspace_id = old.workspace_id AND outbox.subject_id = old.id
    ), swept AS (
      DELETE FROM verification USING old
      WHERE verification.workspace_id = old.workspace_id AND verification.id = old.id
      RETURNING verification.id
    )
    SELECT count(*)::integer AS swept FROM swept`,
  );

/** The condition names the predicate of the index `verification_oldest_first`. */
const sweepAll = sweep("sweep_verifications", "created_at < 'infinity'");
const sweepOwn = sweep("sweep_own_verifications", "starts_with(workspace_id, 'ws_byond/')");

const expire = statement<{ swept: number }>("expire_verifications")(
  {},
  () => `
    WITH overdue AS (
      SELECT workspace_id, id FROM verification
      WHERE status = 'pending' AND expires_at <= (SELECT byond_now()) AND expires_at < 'infinity'
      ORDER BY expires_at LIMIT ${batchSize}
      FOR UPDATE SKIP LOCKED
    ), swept AS (
      UPDATE verification SET status = 'expired' FROM overdue
      WHERE verification.workspace_id = overdue.workspace_id AND verification.id = overdue.id
      RETURNING verification.id
    )
    SELECT count(*)::integer AS swept FROM swept`,
);

/** Marks verifications that have expired, which has them write their event. They are answered as expired before. */
export function expirySweep(deps: {
  readonly database: Pick<Database, "transaction">;
  readonly events: Pick<EventLog, "committed">;
}): Sweep {
  return {
    name: "expiry of verifications",
    async removeBatch() {
      const swept = (await runSweep(deps, expire, {}))?.swept ?? 0;
      if (swept > 0) {
        deps.events.committed();
      }
      return swept === batchSize;
    },
  };
}

/** Removes verifications that were started more than `retentionDays` ago, with their messages and attempts. */
export function verificationSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  retentionDays: number,
): Sweep {
  return sweepOf(deps, "verification", sweepAll, retentionDays);
}

/** Removes the server's own verifications after a day: each holds a mail address of an account, or one entered as such. */
export function ownVerificationSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOf(deps, "verification of the server", sweepOwn, ownRetentionDays);
}

function sweepOf(
  deps: { readonly database: Pick<Database, "transaction"> },
  name: string,
  statement: typeof sweepAll,
  days: number,
): Sweep {
  return {
    name,
    async removeBatch() {
      return (await runSweep(deps, statement, { days }))?.swept === batchSize;
    },
  };
}
