import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Mode } from "../../../gen/byond/v1/api_key_pb.ts";
import { EventTypeSetSchema, WebhookDeliveryStatus, WebhookDisabledReason } from "../../../gen/byond/v1/webhook_pb.ts";
import { eventTypeOf } from "../../events/event-types.ts";
import type { CreatedWebhook } from "./create-webhook.ts";
import type { RotatedSecret } from "./rotate-webhook-secret.ts";
import type { PingResult } from "./test-webhook.ts";
import type { DeliveryView } from "./webhook-deliveries.ts";
import type { WebhookEndpoint } from "./webhook-endpoint.entity.ts";

const disabledReasons = {
  gone: WebhookDisabledReason.GONE,
  failing: WebhookDisabledReason.FAILING,
} as const satisfies Record<NonNullable<WebhookEndpoint["disabledReason"]>, WebhookDisabledReason>;

const statuses = {
  pending: WebhookDeliveryStatus.PENDING,
  sent: WebhookDeliveryStatus.SUCCEEDED,
  failed: WebhookDeliveryStatus.FAILED,
  expired: WebhookDeliveryStatus.CANCELED,
} as const satisfies Record<NonNullable<DeliveryView["status"]>, WebhookDeliveryStatus>;

/** What a message of an endpoint shows. */
export type ShownWebhook = Pick<
  WebhookEndpoint,
  | "id"
  | "url"
  | "events"
  | "description"
  | "enabled"
  | "disabledReason"
  | "disabledAt"
  | "mode"
  | "apiVersion"
  | "createdAt"
>;

/** An endpoint as a message, without its secret. */
export function webhookMessage(endpoint: ShownWebhook) {
  const { id, url, events, description, enabled, disabledReason, mode, apiVersion, createdAt } = endpoint;
  return {
    id,
    url,
    ...(events == null ? {} : { events: create(EventTypeSetSchema, { types: events.map(eventTypeOf) }) }),
    ...(description == null ? {} : { description }),
    enabled,
    ...(disabledReason == null ? {} : { disabledReason: disabledReasons[disabledReason] }),
    ...timestamp("disabledAt", endpoint.disabledAt),
    mode: mode === "test" ? Mode.TEST : Mode.LIVE,
    apiVersion,
    createdAt: timestampFromDate(createdAt),
  };
}

/** A new endpoint, with its secret. */
export function createdWebhookMessage({ endpoint, secret }: CreatedWebhook) {
  return { ...webhookMessage(endpoint), secret };
}

/** The new secret of an endpoint. */
export function rotatedSecretMessage({ id, secret, previousEndsAt }: RotatedSecret) {
  return { id, secret, ...timestamp("previousSecretExpiresAt", previousEndsAt) };
}

export function deliveryMessage(delivery: DeliveryView) {
  const { id, eventId, eventType, status, attempts, nextAttemptAt, responseStatus, responseBody, error } = delivery;
  return {
    id,
    eventId,
    eventType: eventTypeOf(eventType),
    status: statuses[status ?? "expired"],
    attempts: attempts ?? 0,
    ...timestamp("nextAttemptAt", nextAttemptAt),
    ...(responseStatus === null ? {} : { responseStatus }),
    ...(responseBody === null ? {} : { responseBody }),
    ...(error === null ? {} : { error }),
    createdAt: timestampFromDate(delivery.createdAt),
  };
}

export function pingMessage({ succeeded, answer, durationMs }: PingResult) {
  return {
    succeeded,
    ...(answer.kind === "answered"
      ? { responseStatus: answer.status, responseBody: answer.body }
      : { error: answer.reason }),
    durationMs,
  };
}

function timestamp<Name extends string>(name: Name, time: Date | null | undefined): Partial<Record<Name, Timestamp>> {
  const fields: Partial<Record<Name, Timestamp>> = {};
  if (time != null) {
    fields[name] = timestampFromDate(time);
  }
  return fields;
}
