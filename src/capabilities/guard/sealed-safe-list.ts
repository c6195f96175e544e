import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import type { SealedRows } from "../../crypto/master-secret-use.ts";
import { array, bytea, nullable, statement, text } from "../../database/statement.ts";
import { type StoredRecipients, safeListContext } from "./stored-recipients.ts";

interface SealedRow {
  readonly workspaceId: string;
  readonly id: string;
  readonly recipientSealed: Buffer;
}

const batchSize = 200;

/** What is sealed begins with the id of its master secret. */
const isOfSecret = (id: string) => `substring(recipient_sealed FROM 1 FOR 4) = decode(${id}, 'hex')`;

const readBatch = statement<SealedRow>("read_safe_list_to_reseal")(
  { secretId: text, afterWorkspaceId: text, afterId: text },
  (p) => `
    SELECT workspace_id, id, recipient_sealed FROM safe_list_entry
    WHERE (workspace_id, id) > (${p.afterWorkspaceId}, ${p.afterId}) AND ${isOfSecret(p.secretId)}
    ORDER BY workspace_id, id LIMIT ${batchSize} FOR UPDATE`,
);

/** One that was added again meanwhile, under the new secret, makes the old row needless. So does one that cannot be read. */
const writeBatch = statement("write_resealed_safe_list")(
  { workspaceIds: array(text), ids: array(text), indexes: array(nullable(text)), sealed: array(nullable(bytea)) },
  (p) => `
    WITH resealed AS (
      SELECT * FROM unnest(${p.workspaceIds}, ${p.ids}, ${p.indexes}, ${p.sealed}) AS row (workspace_id, id, index, sealed)
    ), needless AS (
      SELECT resealed.workspace_id, resealed.id FROM resealed JOIN safe_list_entry AS old USING (workspace_id, id)
      WHERE resealed.sealed IS NULL OR EXISTS (
        SELECT FROM safe_list_entry AS newer
        WHERE newer.recipient_index = resealed.index AND newer.workspace_id = old.workspace_id AND newer.mode = old.mode
          AND newer.id <> old.id
      )
    ), dropped AS (
      DELETE FROM safe_list_entry USING needless
      WHERE safe_list_entry.workspace_id = needless.workspace_id AND safe_list_entry.id = needless.id
    )
    UPDATE safe_list_entry SET recipient_index = resealed.index, recipient_sealed = resealed.sealed
    FROM resealed
    WHERE safe_list_entry.workspace_id = resealed.workspace_id AND safe_list_entry.id = resealed.id
      AND (resealed.workspace_id, resealed.id) NOT IN (SELECT workspace_id, id FROM needless)`,
);

const erase = statement<{ id: string }>("erase_safe_list_of_secret")(
  { secretId: text },
  (p) => `DELETE FROM safe_list_entry WHERE ${isOfSecret(p.secretId)} RETURNING id`,
);

/** The recipients of safe lists. No server has to keep a master secret for them: one that nobody can read any more is not found, either. */
export function sealedSafeList(recipients: StoredRecipients): SealedRows {
  const resealed = (keyring: Keyring, { workspaceId, id, recipientSealed }: SealedRow) => {
    const context = safeListContext(workspaceId, id);
    const address = unseal(keyring, "recipient-seal", context, recipientSealed);
    return address === undefined
      ? { sealed: null, index: null }
      : {
          sealed: seal(keyring, "recipient-seal", context, address),
          index: recipients.indexOfAddress(keyring.current, address),
        };
  };
  return {
    describe: async () => undefined,

    async reseal(database, keyring, { id: secretId }, onProgress) {
      let after = { afterWorkspaceId: "", afterId: "" };
      for (;;) {
        const rows = await database.transaction(async (transaction) => {
          const found = await transaction.run(readBatch, { secretId, ...after });
          const written = found.map((row) => resealed(keyring, row));
          await transaction.run(writeBatch, {
            workspaceIds: found.map(({ workspaceId }) => workspaceId),
            ids: found.map(({ id }) => id),
            indexes: written.map(({ index }) => index),
            sealed: written.map(({ sealed }) => sealed),
          });
          return found;
        });
        onProgress(rows.length);
        const last = rows.at(-1);
        if (last === undefined || rows.length < batchSize) {
          return undefined;
        }
        after = { afterWorkspaceId: last.workspaceId, afterId: last.id };
      }
    },

    async erase(database, { id: secretId }) {
      return (await database.transaction((transaction) => transaction.run(erase, { secretId }))).length;
    },
  };
}
