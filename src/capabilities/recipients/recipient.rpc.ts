import type { ServiceImpl } from "@connectrpc/connect";
import type { RecipientService } from "../../../gen/byond/v1/recipient_pb.ts";
import { keyCaller } from "../../access/caller.ts";
import { type ExportRecipientDependencies, exportRecipient } from "./export-recipient.ts";
import { pageSize } from "./recipients.policy.ts";

/** RecipientService: translates messages to operations and back. */
export function recipientService(deps: ExportRecipientDependencies): ServiceImpl<typeof RecipientService> {
  return {
    async exportRecipient(request, context) {
      const { workspaceId, mode } = keyCaller(context);
      const { records, nextPageToken } = await exportRecipient(deps, {
        workspaceId,
        mode,
        recipient: request.recipient,
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return { records: [...records], ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },
  };
}
