import { type Webhook, WebhookDisabledReason } from "#gen/byond/v1/webhook_pb.ts";
import { StatusBadge } from "../../components/status-badge.tsx";

export function WebhookStatus({ webhook: { enabled, disabledReason } }: { readonly webhook: Webhook }) {
  if (enabled) {
    return <StatusBadge tone="good">Enabled</StatusBadge>;
  }
  return disabledReason === undefined ? (
    <StatusBadge>Disabled</StatusBadge>
  ) : (
    <StatusBadge tone="bad">Disabled by the server</StatusBadge>
  );
}

/** Why the server disabled an endpoint. */
export function disabledReasonText(reason: WebhookDisabledReason | undefined): string | undefined {
  switch (reason) {
    case WebhookDisabledReason.GONE:
      return "It answered with status 410, which says that it is gone for good.";
    case WebhookDisabledReason.FAILING:
      return "No attempt succeeded for five days.";
    default:
      return undefined;
  }
}
