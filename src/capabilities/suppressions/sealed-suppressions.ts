import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import type { SealedRows } from "../../crypto/master-secret-use.ts";
import { resealBatchSize, resealInBatches } from "../../crypto/reseal-batches.ts";
import { array, bytea, nullable, statement, text } from "../../database/statement.ts";
import type { StoredRecipients } from "./stored-recipients.ts";

interface SealedRow {
  readonly workspaceId: string;
  readonly id: string;
  readonly verificationId: string;
  readonly isSecond: boolean;
  readonly recipientSealed: Buffer;
}

/** What is sealed begins with the id of its master secret. */
const isOfSecret = (id: string) => `substring(recipient_sealed FROM 1 FOR 4) = decode(${id}, 'hex')`;

const readBatch = statement<SealedRow>("read_suppressions_to_reseal")(
  { secretId: text, afterWorkspaceId: text, afterId: text },
  (p) => `
    SELECT workspace_id, id, verification_id, is_second, recipient_sealed FROM suppression
    WHERE (workspace_id, id) > (${p.afterWorkspaceId}, ${p.afterId}) AND ${isOfSecret(p.secretId)}
    ORDER BY workspace_id, id LIMIT ${resealBatchSize} FOR UPDATE`,
);

/** One that was suppressed again meanwhile, under the new secret, makes the old row needless. */
const writeBatch = statement("write_resealed_suppressions")(
  { workspaceIds: array(text), ids: array(text), indexes: array(nullable(text)), sealed: array(nullable(bytea)) },
  (p) => `
    WITH resealed AS (
      SELECT * FROM unnest(${p.workspaceIds}, ${p.ids}, ${p.indexes}, ${p.sealed}) AS row (workspace_id, id, index, sealed)
    ), needless AS (
      SELECT resealed.workspace_id, resealed.id FROM resealed JOIN suppression AS old USING (workspace_id, id)
      WHERE resealed.sealed IS NULL OR EXISTS (
        SELECT FROM suppression AS newer
        WHERE newer.recipient_index = resealed.index AND newer.workspace_id = old.workspace_id AND newer.mode = old.mode
          AND newer.channel = old.channel AND newer.id <> old.id
      )
    ), dropped AS (
      DELETE FROM suppression USING needless
      WHERE suppression.workspace_id = needless.workspace_id AND suppression.id = needless.id
    )
    UPDATE suppression SET recipient_index = resealed.index, recipient_sealed = resealed.sealed
    FROM resealed
    WHERE suppression.workspace_id = resealed.workspace_id AND suppression.id = resealed.id
      AND (resealed.workspace_id, resealed.id) NOT IN (SELECT workspace_id, id FROM needless)`,
);

const erase = statement<{ id: string }>("erase_suppressions_of_secret")(
  { secretId: text },
  (p) => `DELETE FROM suppression WHERE ${isOfSecret(p.secretId)} RETURNING id`,
);

/**
 * The recipients of suppressions. No server has to keep a master secret for them: a suppression that nobody can read any more suppresses
 * nobody, and is swept.
 */
export function sealedSuppressions(recipients: StoredRecipients): SealedRows {
  const resealed = (keyring: Keyring, { workspaceId, verificationId, isSecond, recipientSealed }: SealedRow) => {
    const context = recipients.contextOf(workspaceId, verificationId, isSecond);
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
      await resealInBatches(database, onProgress, async (transaction, after) => {
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
      return undefined;
    },

    async erase(database, { id: secretId }) {
      return (await database.transaction((transaction) => transaction.run(erase, { secretId }))).length;
    },
  };
}
