import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Channel as ChannelEnum,
  Delivery_Status as DeliveryStatusEnum,
  VerificationStatus as StatusEnum,
  VerificationFallback_Reason as StepReasonEnum,
  VerificationFallback_Status as StepStatusEnum,
  type VerificationSchema,
} from "../../../gen/byond/v1/verify_pb.ts";
import { channelEnums } from "../channels/channel-proto.ts";
import type { FallbackView } from "./fallback/fallback-view.ts";
import type { DeliveryStatus, DeliveryView, VerificationStatus, VerificationView } from "./verification-view.ts";

const statusEnums = {
  pending: StatusEnum.PENDING,
  approved: StatusEnum.APPROVED,
  expired: StatusEnum.EXPIRED,
  locked: StatusEnum.LOCKED,
  canceled: StatusEnum.CANCELED,
  channel_unavailable: StatusEnum.CHANNEL_UNAVAILABLE,
} as const satisfies Record<VerificationStatus, StatusEnum>;

const deliveryStatusEnums = {
  queued: DeliveryStatusEnum.QUEUED,
  sent: DeliveryStatusEnum.SENT,
  delivered: DeliveryStatusEnum.DELIVERED,
  read: DeliveryStatusEnum.READ,
  failed: DeliveryStatusEnum.FAILED,
  expired: DeliveryStatusEnum.EXPIRED,
} as const satisfies Record<DeliveryStatus, DeliveryStatusEnum>;

const statusByEnum = new Map<StatusEnum, VerificationStatus>([
  [StatusEnum.PENDING, "pending"],
  [StatusEnum.APPROVED, "approved"],
  [StatusEnum.EXPIRED, "expired"],
  [StatusEnum.LOCKED, "locked"],
  [StatusEnum.CANCELED, "canceled"],
  [StatusEnum.CHANNEL_UNAVAILABLE, "channel_unavailable"],
]);

/** The status of an enum value. Undefined for `VERIFICATION_STATUS_UNSPECIFIED`. */
export function findStatus(value: StatusEnum): VerificationStatus | undefined {
  return statusByEnum.get(value);
}

/** A verification as a message of the schema. */
export function verificationMessage(view: VerificationView): MessageInitShape<typeof VerificationSchema> {
  return {
    verificationId: view.id,
    channel: channelEnums[view.channel],
    status: statusEnums[view.status],
    ...(view.recipient === null ? {} : { recipient: view.recipient }),
    attemptsLeft: view.attemptsLeft,
    createdAt: timestampFromDate(view.createdAt),
    expiresAt: timestampFromDate(view.expiresAt),
    ...(view.approvedAt === null ? {} : { approvedAt: timestampFromDate(view.approvedAt) }),
    deliveries: view.deliveries.map(deliveryMessage),
    metadata: { ...view.metadata },
    fallback: view.fallback.map(fallbackMessage),
    ...(view.hasFixedCode ? { fixedCode: true } : {}),
    ...(view.approval ?? {}),
  };
}

const stepStatusEnums = {
  waiting: StepStatusEnum.WAITING,
  taken: StepStatusEnum.TAKEN,
  skipped: StepStatusEnum.SKIPPED,
  refused: StepStatusEnum.REFUSED,
} as const satisfies Record<FallbackView["status"], StepStatusEnum>;

const stepReasonEnums = {
  delivered: StepReasonEnum.DELIVERED,
  ended: StepReasonEnum.ENDED,
  channel_unavailable: StepReasonEnum.CHANNEL_UNAVAILABLE,
  undeliverable: StepReasonEnum.UNDELIVERABLE,
  rate_limited: StepReasonEnum.RATE_LIMITED,
  send_limit_reached: StepReasonEnum.SEND_LIMIT_REACHED,
  not_allowed: StepReasonEnum.NOT_ALLOWED,
  insufficient_balance: StepReasonEnum.INSUFFICIENT_BALANCE,
  spend_cap_reached: StepReasonEnum.SPEND_CAP_REACHED,
} as const satisfies Record<NonNullable<FallbackView["reason"]>, StepReasonEnum>;

function fallbackMessage(step: FallbackView) {
  return {
    channel: channelEnums[step.channel],
    ...(step.recipient === null ? {} : { recipient: step.recipient }),
    afterSeconds: step.afterSeconds,
    status: stepStatusEnums[step.status],
    ...(step.reason === null ? {} : { reason: stepReasonEnums[step.reason] }),
    ...(step.takenAt === null ? {} : { takenAt: timestampFromDate(step.takenAt) }),
    ...(step.deliveryId === null ? {} : { deliveryId: step.deliveryId }),
  };
}

function deliveryMessage(delivery: DeliveryView) {
  return {
    id: delivery.id,
    channel: delivery.channel === undefined ? ChannelEnum.UNSPECIFIED : channelEnums[delivery.channel],
    status: deliveryStatusEnums[delivery.status],
    ...(delivery.recipient === null ? {} : { recipient: delivery.recipient }),
    attempts: delivery.attempts,
    ...(delivery.provider === null ? {} : { provider: delivery.provider }),
    ...(delivery.segments === null ? {} : { segments: delivery.segments }),
    ...(delivery.providerMessageId === null ? {} : { providerMessageId: delivery.providerMessageId }),
    ...(delivery.error === null ? {} : { error: delivery.error }),
    createdAt: timestampFromDate(delivery.createdAt),
    ...(delivery.sentAt === null ? {} : { sentAt: timestampFromDate(delivery.sentAt) }),
  };
}
