import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { channelEnums } from "../channels/channel-proto.ts";
import type { SuppressionView } from "./list-suppressions.ts";

/** A suppression as a message of the schema. */
export function suppressionMessage({ id, channel, recipient, reason, verificationId, ...times }: SuppressionView) {
  return {
    suppressionId: id,
    channel: channelEnums[channel],
    ...(recipient === null ? {} : { recipient }),
    reason,
    verificationId,
    createdAt: timestampFromDate(times.createdAt),
    expiresAt: timestampFromDate(times.expiresAt),
  };
}
