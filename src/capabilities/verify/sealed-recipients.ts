import { mostCounted, type SealedRows } from "../../crypto/master-secret-use.ts";
import { change } from "../../database/database.ts";
import { statement } from "../../database/statement.ts";
import { erasure } from "./erase-recipient.ts";
import { resealRecipients } from "./reseal-recipients.ts";
import { rowsOfSecret, usedSecret } from "./rows-of-secret.ts";

const count = statement<{ rows: number; newest: Date | null }>("count_rows_of_secret")(
  usedSecret,
  (p) => `
    SELECT
      (SELECT count(*) FROM (SELECT 1 ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT ${mostCounted}) AS rows)::integer AS rows,
      (SELECT created_at ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT 1) AS newest`,
);

const batchSize = 500;

const erase = statement<{ erased: number; newest: Date | null }>("erase_rows_of_secret")(
  usedSecret,
  (p) => `
    WITH due AS (
      SELECT workspace_id, id, created_at ${rowsOfSecret(p)} ORDER BY created_at LIMIT ${batchSize} FOR UPDATE
    ), erased AS (
      UPDATE verification SET ${erasure} FROM due
      WHERE verification.workspace_id = due.workspace_id AND verification.id = due.id
      RETURNING due.created_at
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      FROM due WHERE outbox.workspace_id = due.workspace_id AND outbox.subject_id = due.id
    )
    SELECT count(*)::integer AS erased, max(created_at) AS newest FROM erased`,
);

/** What verifications hold of their recipients, for `retentionDays` from their start on. */
export function sealedRecipients({ retentionDays }: { readonly retentionDays: number }): SealedRows {
  return {
    async describe(database, { id, from, until }) {
      const [found] = await database.run(count, { id, from, until });
      if (found === undefined || found.newest === null) {
        return undefined;
      }
      const rows = found.rows < mostCounted ? `${found.rows}` : `${mostCounted} or more`;
      const lastDay = new Date(found.newest.getTime() + retentionDays * 86_400_000).toISOString().slice(0, 10);
      return `${rows} verifications hold recipients that nobody can find or erase without it, until ${lastDay} (RETENTION_DAYS=${retentionDays})`;
    },

    reseal: resealRecipients,

    async erase(database, { id, from, until }) {
      let total = 0;
      let earliest = from;
      for (;;) {
        const [row] = await change(database, erase, { id, from: earliest, until });
        total += row?.erased ?? 0;
        if (row === undefined || row.erased < batchSize) {
          return total;
        }
        earliest = row.newest ?? earliest;
      }
    },
  };
}
