import { unseal } from "../../crypto/keyring.ts";
import { array, double, statement, text } from "../../database/statement.ts";
import { pageOf } from "../../rpc/page-token.ts";
import { maskRecipient } from "../channels/outgoing-message.ts";
import type { RecipientData } from "../recipients/recipient-data.ts";
import type { SuppressionRow } from "./list-suppressions.ts";
import type { StoredRecipients } from "./stored-recipients.ts";
import { suppressionMessage } from "./suppression-proto.ts";
import { daysOnChannel } from "./suppressions.policy.ts";

const read = statement<SuppressionRow>("export_suppressions")(
  { workspaceId: text, mode: text, indexes: array(text), days: double },
  (p) => `
    SELECT id, channel, recipient_sealed, is_second, reason, verification_id, created_at,
      created_at + ${daysOnChannel(p.days)} AS expires_at
    FROM suppression
    WHERE recipient_index = ANY (${p.indexes}) AND workspace_id || '' = ${p.workspaceId} AND mode || '' = ${p.mode}`,
);

/**
 * The suppressions of a recipient, one for each channel at most. An erasure erases them all: a suppression protects nobody who asks to be
 * forgotten (decision 62).
 */
export function suppressionsOfRecipients(recipients: StoredRecipients, days: () => number): RecipientData {
  return {
    erasure: {
      cte: "erased_suppressions",
      sql: ({ workspaceId, mode, indexes }) => `
        DELETE FROM suppression
        WHERE recipient_index = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}
        RETURNING id`,
    },
    export: {
      idPrefix: "sup_",
      async read({ database, keyring }, { workspaceId, mode, indexes, ...page }) {
        const rows = await database.run(read, { workspaceId, mode, indexes, days: days() });
        const records = rows.map(({ recipientSealed, isSecond, ...row }) => {
          const context = recipients.contextOf(workspaceId, row.verificationId, isSecond);
          const address = unseal(keyring, "recipient-seal", context, recipientSealed);
          const view = { ...row, recipient: address === undefined ? null : maskRecipient(address) };
          return {
            id: row.id,
            createdAt: row.createdAt,
            record: { suppression: suppressionMessage(view), recipients: address === undefined ? [] : [address] },
          };
        });
        return pageOf(records, page);
      },
    },
  };
}
