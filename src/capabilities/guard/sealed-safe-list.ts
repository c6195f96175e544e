import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { maxCounted, type SealedRows } from "../../crypto/master-secret-use.ts";
import { resealBatchSize, resealInBatches } from "../../crypto/reseal-batches.ts";
import { array, bytea, statement, text } from "../../database/statement.ts";
import { type StoredRecipients, safeListContext } from "./stored-recipients.ts";

interface SealedRow {
  readonly workspaceId: string;
  readonly id: string;
  readonly recipientSealed: Buffer;
}

/** What is sealed begins with the id of its master secret. */
const isOfSecret = (id: string) => `substring(recipient_sealed FROM 1 FOR 4) = decode(${id}, 'hex')`;

const count = statement<{ count: number }>("count_safe_list_of_secret")(
  { secretId: text },
  (p) => `
    SELECT count(*)::integer AS count FROM (
      SELECT FROM safe_list_entry WHERE ${isOfSecret(p.secretId)} LIMIT ${maxCounted}
    ) AS sealed`,
);

const readBatch = statement<SealedRow>("read_safe_list_to_reseal")(
  { secretId: text, afterWorkspaceId: text, afterId: text },
  (p) => `
    SELECT workspace_id, id, recipient_sealed FROM safe_list_entry
    WHERE (workspace_id, id) > (${p.afterWorkspaceId}, ${p.afterId}) AND ${isOfSecret(p.secretId)}
    ORDER BY workspace_id, id LIMIT ${resealBatchSize} FOR UPDATE`,
);

const writeBatch = statement("write_resealed_safe_list")(
  { workspaceIds: array(text), ids: array(text), indexes: array(text), sealed: array(bytea) },
  (p) => `
    UPDATE safe_list_entry SET recipient_index = resealed.index, recipient_sealed = resealed.sealed
    FROM unnest(${p.workspaceIds}, ${p.ids}, ${p.indexes}, ${p.sealed}) AS resealed (workspace_id, id, index, sealed)
    WHERE safe_list_entry.workspace_id = resealed.workspace_id AND safe_list_entry.id = resealed.id`,
);

const erase = statement<{ id: string }>("erase_safe_list_of_secret")(
  { secretId: text },
  (p) => `DELETE FROM safe_list_entry WHERE ${isOfSecret(p.secretId)} RETURNING id`,
);

/** The recipients of safe lists. A server needs the master secrets of its rows: without them it would refuse who is safe. */
export function sealedSafeList(recipients: StoredRecipients): SealedRows {
  const resealed = (keyring: Keyring, { workspaceId, id, recipientSealed }: SealedRow) => {
    const context = safeListContext(workspaceId, id);
    const address = unseal(keyring, "recipient-seal", context, recipientSealed);
    return address === undefined
      ? []
      : [
          {
            workspaceId,
            id,
            index: recipients.indexOfAddress(keyring.current, address),
            sealed: seal(keyring, "recipient-seal", context, address),
          },
        ];
  };
  return {
    async describe(database, { id }) {
      const [found] = await database.run(count, { secretId: id });
      const entries = found?.count ?? 0;
      return entries === 0
        ? undefined
        : `${entries < maxCounted ? entries : `${maxCounted} or more`} recipients on safe lists are sealed with it`;
    },

    async reseal(database, keyring, { id: secretId }, onProgress) {
      await resealInBatches(database, onProgress, async (transaction, after) => {
        const found = await transaction.run(readBatch, { secretId, ...after });
        const written = found.flatMap((row) => resealed(keyring, row));
        await transaction.run(writeBatch, {
          workspaceIds: written.map(({ workspaceId }) => workspaceId),
          ids: written.map(({ id }) => id),
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
