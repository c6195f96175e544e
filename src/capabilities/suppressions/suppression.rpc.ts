import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { SuppressionService } from "../../../gen/byond/v1/suppression_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller, credentialOf } from "../../access/caller.ts";
import type { Database } from "../../database/database.ts";
import { findChannel } from "../channels/channel-proto.ts";
import { deleteSuppression } from "./delete-suppression.ts";
import { type ListSuppressionsDependencies, listSuppressions } from "./list-suppressions.ts";
import { suppressionMessage } from "./suppression-proto.ts";
import { pageSize } from "./suppressions.policy.ts";

export interface SuppressionServiceDependencies extends ListSuppressionsDependencies {
  readonly database: Database;
}

/** SuppressionService: translates messages to operations and back. */
export function suppressionService(deps: SuppressionServiceDependencies): ServiceImpl<typeof SuppressionService> {
  return {
    async listSuppressions(request, context) {
      const { suppressions, nextPageToken } = await listSuppressions(deps, {
        ...realmOf(context),
        recipient: request.recipient,
        channel: request.channel === undefined ? undefined : findChannel(request.channel),
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return {
        suppressions: suppressions.map(suppressionMessage),
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
    },

    async deleteSuppression({ suppressionId: id }, context) {
      await deleteSuppression(deps, { ...realmOf(context), id }, credentialOf(anyCaller(context)));
      return { suppressionId: id, deleted: true };
    },
  };
}

function realmOf(context: HandlerContext) {
  return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context) };
}
