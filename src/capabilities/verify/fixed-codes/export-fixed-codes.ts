import { pageOf } from "../../../rpc/page-token.ts";
import { maskRecipient } from "../../channels/outgoing-message.ts";
import type { RecipientExport } from "../../recipients/recipient-data.ts";
import type { FixedCodeTables } from "./fixed-code.entity.ts";
import { fixedCodeMessage } from "./fixed-code-proto.ts";
import { fixedCodeView } from "./stored-fixed-code.ts";

/** The fixed code of a recipient, which live mode alone has. Without the code: whoever knows it passes as the recipient. */
export const fixedCodeExport: RecipientExport = {
  idPrefix: "fix_",
  async read({ database, keyring }, { workspaceId, mode, indexes, ...page }) {
    if (mode !== "live") {
      return [];
    }
    const rows = await database.query((tables: FixedCodeTables) =>
      tables
        .selectFrom("fixed_code")
        .selectAll()
        .where("workspaceId", "=", workspaceId)
        .where("recipientIndex", "in", indexes),
    );
    const records = rows.map((row) => {
      const view = fixedCodeView(keyring, row);
      const recipient = view.recipient === null ? null : maskRecipient(view.recipient);
      return {
        id: view.id,
        createdAt: view.createdAt,
        record: {
          fixedCode: fixedCodeMessage({ ...view, recipient, code: null }),
          recipients: view.recipient === null ? [] : [view.recipient],
        },
      };
    });
    return pageOf(records, page);
  },
};
