import {
  Delivery_Status,
  VerificationFallback_Reason,
  VerificationFallback_Status,
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

const fallbackStatuses: Words<VerificationFallback_Status> = {
  [VerificationFallback_Status.WAITING]: ["info", "Waiting"],
  [VerificationFallback_Status.TAKEN]: ["good", "Taken"],
  [VerificationFallback_Status.SKIPPED]: ["neutral", "Skipped"],
  [VerificationFallback_Status.REFUSED]: ["bad", "Refused"],
};

const fallbackReasons: Readonly<Partial<Record<VerificationFallback_Reason, string>>> = {
  [VerificationFallback_Reason.DELIVERED]: "A message was delivered",
  [VerificationFallback_Reason.ENDED]: "The verification ended",
  [VerificationFallback_Reason.CHANNEL_UNAVAILABLE]: "The channel has no provider",
  [VerificationFallback_Reason.UNDELIVERABLE]: "The recipient cannot be reached",
  [VerificationFallback_Reason.RATE_LIMITED]: "Too many codes for the recipient",
  [VerificationFallback_Reason.SEND_LIMIT_REACHED]: "The code was sent five times",
  [VerificationFallback_Reason.NOT_ALLOWED]: "Refused by the server",
};

const unknown = ["neutral", "Unknown"] as const;

export function VerificationStatusBadge({ status }: { readonly status: VerificationStatus }) {
  const [tone, text] = statuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

export function DeliveryStatusBadge({ status }: { readonly status: Delivery_Status }) {
  const [tone, text] = deliveryStatuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

export function FallbackStatusBadge({ status }: { readonly status: VerificationFallback_Status }) {
  const [tone, text] = fallbackStatuses[status] ?? unknown;
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

/** Why nothing was sent. */
export function fallbackReason(reason: VerificationFallback_Reason | undefined): string {
  return reason === undefined ? "–" : (fallbackReasons[reason] ?? "–");
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
