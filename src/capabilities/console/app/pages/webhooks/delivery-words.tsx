import { type WebhookDelivery, WebhookDeliveryStatus } from "#gen/byond/v1/webhook_pb.ts";
import { type BadgeTone, StatusBadge } from "../../components/status-badge.tsx";

const statuses: Readonly<Partial<Record<WebhookDeliveryStatus, readonly [tone: BadgeTone, text: string]>>> = {
  [WebhookDeliveryStatus.PENDING]: ["info", "Pending"],
  [WebhookDeliveryStatus.SUCCEEDED]: ["good", "Succeeded"],
  [WebhookDeliveryStatus.FAILED]: ["bad", "Failed"],
  [WebhookDeliveryStatus.CANCELED]: ["neutral", "Canceled"],
};

export function DeliveryStatus({ status }: { readonly status: WebhookDeliveryStatus }) {
  const [tone, text] = statuses[status] ?? (["neutral", "Unknown"] as const);
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

/** "200", or why there was no answer. */
export function answerOf({ responseStatus, error }: WebhookDelivery): string {
  return responseStatus === undefined ? (error ?? "–") : String(responseStatus);
}
