import type { Queryable } from "../database/database.ts";

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

/**
 * Deletes verifications, and all that belongs to them, that were started more than `retentionDays` ago: a batch at a time,
 * also beside another server that does the same. Answers how many.
 */
export async function sweepVerifications(
  deps: { readonly database: Queryable },
  retentionDays: number,
): Promise<number> {
  let total = 0;
  for (;;) {
    const [row] = await deps.database.query<{ swept: number }>(sweep, [retentionDays]);
    const swept = row?.swept ?? 0;
    total += swept;
    if (swept < batchSize) {
      return total;
    }
  }
}
