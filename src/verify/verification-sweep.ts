import type { Database } from "../database/database.ts";
import { runSweep } from "../database/table-sweeps.ts";
import type { Sweep } from "../sweeper.ts";

/** Few enough that no statement holds its locks for long. */
const batchSize = 500;

const sweep = {
  name: "sweep_verifications",
  text: `
    WITH old AS (
      SELECT workspace_id, id FROM verification
      WHERE created_at < (SELECT byond_now() - $1::integer * interval '1 day')
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
};

/** Removes verifications, and all that belongs to them, that were started more than `retentionDays` ago. */
export function verificationSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  retentionDays: number,
): Sweep {
  return {
    name: "verification",
    async removeBatch() {
      return (await runSweep<{ swept: number }>(deps, sweep, [retentionDays]))?.swept === batchSize;
    },
  };
}
