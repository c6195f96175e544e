import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Channel as ChannelMessage,
  Delivery_Status as DeliveryStatusMessage,
  VerificationStatus as StatusMessage,
  type VerificationSchema,
} from "../../../gen/byond/v1/verify_pb.ts";
import { channelMessage } from "./channel-enum.ts";
import type { DeliveryStatus, DeliveryView, VerificationStatus, VerificationView } from "./verification-view.ts";

const statusMessages = {
  pending: StatusMessage.PENDING,
  approved: StatusMessage.APPROVED,
  expired: StatusMessage.EXPIRED,
  locked: StatusMessage.LOCKED,
  canceled: StatusMessage.CANCELED,
  channel_unavailable: StatusMessage.CHANNEL_UNAVAILABLE,
} as const satisfies Record<VerificationStatus, StatusMessage>;

const deliveryStatusMessages = {
  queued: DeliveryStatusMessage.QUEUED,
  sent: DeliveryStatusMessage.SENT,
  delivered: DeliveryStatusMessage.DELIVERED,
  read: DeliveryStatusMessage.READ,
  failed: DeliveryStatusMessage.FAILED,
  expired: DeliveryStatusMessage.EXPIRED,
} as const satisfies Record<DeliveryStatus, DeliveryStatusMessage>;

const statusByMessage = new Map<StatusMessage, VerificationStatus>([
  [StatusMessage.PENDING, "pending"],
  [StatusMessage.APPROVED, "approved"],
  [StatusMessage.EXPIRED, "expired"],
  [StatusMessage.LOCKED, "locked"],
  [StatusMessage.CANCELED, "canceled"],
  [StatusMessage.CHANNEL_UNAVAILABLE, "channel_unavailable"],
]);

/** The status that a message names. Undefined for the unspecified one. */
export function findStatus(message: StatusMessage): VerificationStatus | undefined {
  return statusByMessage.get(message);
}

/** A verification as a message. */
export function verificationMessage(view: VerificationView): MessageInitShape<typeof VerificationSchema> {
  return {
    verificationId: view.id,
    channel: channelMessage(view.channel),
    status: statusMessages[view.status],
    ...(view.recipient === null ? {} : { recipient: view.recipient }),
    attemptsLeft: view.attemptsLeft,
    createdAt: timestampFromDate(view.createdAt),
    expiresAt: timestampFromDate(view.expiresAt),
    ...(view.approvedAt === null ? {} : { approvedAt: timestampFromDate(view.approvedAt) }),
    deliveries: view.deliveries.map(deliveryMessage),
    metadata: { ...view.metadata },
  };
}

function deliveryMessage(delivery: DeliveryView) {
  return {
    id: delivery.id,
    channel: delivery.channel === undefined ? ChannelMessage.UNSPECIFIED : channelMessage(delivery.channel),
    status: deliveryStatusMessages[delivery.status],
    ...(delivery.recipient === null ? {} : { recipient: delivery.recipient }),
    attempts: delivery.attempts,
    ...(delivery.providerMessageId === null ? {} : { providerMessageId: delivery.providerMessageId }),
    ...(delivery.error === null ? {} : { error: delivery.error }),
    createdAt: timestampFromDate(delivery.createdAt),
    ...(delivery.sentAt === null ? {} : { sentAt: timestampFromDate(delivery.sentAt) }),
  };
}
