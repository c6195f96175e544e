import { unseal } from "../../crypto/keyring.ts";
import { array, statement, text } from "../../database/statement.ts";
import { pageOf } from "../../rpc/page-token.ts";
import { maskRecipient } from "../channels/outgoing-message.ts";
import type { RecipientData } from "../recipients/recipient-data.ts";
import { entryMessage } from "./guard-proto.ts";
import { safeListContext } from "./stored-recipients.ts";

const read = statement<{ id: string; recipientSealed: Buffer; createdAt: Date }>("export_safe_list_entries")(
  { workspaceId: text, mode: text, indexes: array(text) },
  (p) => `
    SELECT id, recipient_sealed, created_at FROM safe_list_entry
    WHERE recipient_index = ANY (${p.indexes}) AND workspace_id || '' = ${p.workspaceId} AND mode || '' = ${p.mode}`,
);

/** The entry of a recipient on the safe list. A range of numbers is of nobody. */
export const safeListOfRecipients: RecipientData = {
  erasure: {
    cte: "erased_safe_list_entries",
    sql: ({ workspaceId, mode, indexes }) => `
      DELETE FROM safe_list_entry
      WHERE recipient_index = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}
      RETURNING id`,
  },
  export: {
    idPrefix: "gsl_",
    async read({ database, keyring }, { workspaceId, mode, indexes, ...page }) {
      const rows = await database.run(read, { workspaceId, mode, indexes });
      const records = rows.map(({ id, recipientSealed, createdAt }) => {
        const address = unseal(keyring, "recipient-seal", safeListContext(workspaceId, id), recipientSealed);
        const recipient = address === undefined ? null : maskRecipient(address);
        return {
          id,
          createdAt,
          record: {
            safeListEntry: entryMessage({ id, recipient, numberRange: null, createdAt }),
            recipients: address === undefined ? [] : [address],
          },
        };
      });
      return pageOf(records, page);
    },
  },
};
