import {
  Delivery_Status,
  VerificationFallback_Reason as FallbackReason,
  VerificationFallback_Status as FallbackStatus,
  type Verification,
  VerificationStatus,
} from "#gen/byond/v1/verify_pb.ts";
import { type BadgeTone, StatusBadge } from "../../components/status-badge.tsx";

type Words<Value extends number> = Readonly<Partial<Record<Value, readonly [tone: BadgeTone, text: string]>>>;

const statuses: Words<VerificationStatus> = {
  [VerificationStatus.PENDING]: ["info", "Pending"],
  [VerificationStatus.APPROVED]: ["good", "Approved"],
  [VerificationStatus.EXPIRED]: ["warn", "Expired"],
  [VerificationStatus.LOCKED]: ["bad", "Locked"],
  [VerificationStatus.CANCELED]: ["neutral", "Canceled"],
  [VerificationStatus.CHANNEL_UNAVAILABLE]: ["bad", "Channel unavailable"],
};

const deliveryStatuses: Words<Delivery_Status> = {
  [Delivery_Status.QUEUED]: ["info", "Queued"],
  [Delivery_Status.SENT]: ["good", "Sent"],
  [Delivery_Status.DELIVERED]: ["good", "Delivered"],
  [Delivery_Status.READ]: ["good", "Read"],
  [Delivery_Status.FAILED]: ["bad", "Failed"],
  [Delivery_Status.EXPIRED]: ["neutral", "Not sent"],
};

const fallbackStatuses: Words<FallbackStatus> = {
  [FallbackStatus.WAITING]: ["info", "Waiting"],
  [FallbackStatus.TAKEN]: ["good", "Taken"],
  [FallbackStatus.SKIPPED]: ["neutral", "Skipped"],
  [FallbackStatus.REFUSED]: ["bad", "Refused"],
};

const fallbackReasons: Readonly<Partial<Record<FallbackReason, string>>> = {
  [FallbackReason.DELIVERED]: "A message was delivered before",
  [FallbackReason.ENDED]: "The verification had ended",
  [FallbackReason.CHANNEL_UNAVAILABLE]: "The channel has no provider",
  [FallbackReason.UNDELIVERABLE]: "The recipient cannot be reached on it",
  [FallbackReason.RATE_LIMITED]: "Too many messages to the recipient",
  [FallbackReason.SEND_LIMIT_REACHED]: "The code was sent as often as it may be",
  [FallbackReason.NOT_ALLOWED]: "A rule of the server",
};

const unknown = ["neutral", "Unknown"] as const;

export function VerificationStatusBadge({ status }: { readonly status: VerificationStatus }) {
  const [tone, text] = statuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

/** Marks a verification whose code is always the same. */
export function FixedCodeBadge({ verification }: { readonly verification: Verification }) {
  return verification.fixedCode === true && <StatusBadge tone="bad">Fixed code</StatusBadge>;
}

export function DeliveryStatusBadge({ status }: { readonly status: Delivery_Status }) {
  const [tone, text] = deliveryStatuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

export function FallbackStatusBadge({ status }: { readonly status: FallbackStatus }) {
  const [tone, text] = fallbackStatuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

/** Why a step of the fallback sent nothing; undefined if it did, or may. */
export function fallbackReasonText(reason: FallbackReason | undefined): string | undefined {
  return reason === undefined ? undefined : (fallbackReasons[reason] ?? "Unknown");
}

/** The statuses as the filter in the address names them. */
export const statusFilters = [
  ["pending", "Pending", VerificationStatus.PENDING],
  ["approved", "Approved", VerificationStatus.APPROVED],
  ["expired", "Expired", VerificationStatus.EXPIRED],
  ["locked", "Locked", VerificationStatus.LOCKED],
  ["canceled", "Canceled", VerificationStatus.CANCELED],
  ["channel_unavailable", "Channel unavailable", VerificationStatus.CHANNEL_UNAVAILABLE],
] as const;
