import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  CreateWebhookRequestSchema,
  CreateWebhookResponseSchema,
  RedeliverWebhookResponseSchema,
  RotateWebhookSecretResponseSchema,
  UpdateWebhookRequestSchema,
  type WebhookService,
} from "../../../gen/byond/v1/webhook_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
import { storeAnswer } from "../../idempotency/idempotency-claim.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { customerUrlProblem } from "../../outgoing/customer-url.ts";
import type { PostToCustomer } from "../../outgoing/post-to-customer.ts";
import { apiVersionKey, currentApiVersion } from "../../rpc/api-versions.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { lineProblem } from "../../text/display-name-rules.ts";
import { createWebhook } from "./create-webhook.ts";
import { deleteWebhook } from "./delete-webhook.ts";
import { getWebhook, type WebhookReference, webhookIdOf } from "./get-webhook.ts";
import { listWebhooks } from "./list-webhooks.ts";
import { redeliverWebhook } from "./redeliver-webhook.ts";
import { rotateWebhookSecret } from "./rotate-webhook-secret.ts";
import { testWebhook } from "./test-webhook.ts";
import { storedTypes, updateWebhook, webhookChangesOf, webhookChangesProblems } from "./update-webhook.ts";
import { listDeliveries } from "./webhook-deliveries.ts";
import {
  createdWebhookMessage,
  deliveryMessage,
  pingMessage,
  rotatedSecretMessage,
  webhookMessage,
} from "./webhook-proto.ts";
import { graceSeconds as grace, pageSize } from "./webhooks.policy.ts";

export interface WebhookServiceDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly post: PostToCustomer;
}

/** WebhookService: translates messages to operations and back. */
export function webhookService(deps: WebhookServiceDependencies): ServiceImpl<typeof WebhookService> {
  return {
    async createWebhook(request, context) {
      const input = {
        mode: callMode(context),
        url: request.url,
        events: request.events === undefined ? null : storedTypes(request.events.types),
        description: request.description ?? null,
        apiVersion: context.values.get(apiVersionKey) ?? currentApiVersion,
      };
      const store = storeAnswer(context, CreateWebhookResponseSchema, createdWebhookMessage);
      return createdWebhookMessage(await createWebhook(deps, anyCaller(context), input, store));
    },

    async listWebhooks(_, context) {
      const { workspaceId } = anyCaller(context);
      const endpoints = await listWebhooks(deps, { workspaceId, mode: callMode(context) });
      return { webhooks: endpoints.map(webhookMessage) };
    },

    async getWebhook({ id }, context) {
      return { webhook: webhookMessage(await getWebhook(deps, referenceOf(context, id))) };
    },

    async updateWebhook(request, context) {
      const reference = referenceOf(context, request.id);
      const updated = await updateWebhook(deps, anyCaller(context), reference, webhookChangesOf(request));
      return { webhook: webhookMessage(updated) };
    },

    async deleteWebhook({ id }, context) {
      await deleteWebhook(deps, anyCaller(context), referenceOf(context, id));
      return { id, deleted: true };
    },

    async rotateWebhookSecret({ id, graceSeconds = grace.default }, context) {
      const input = { ...referenceOf(context, id), graceSeconds };
      const store = storeAnswer(context, RotateWebhookSecretResponseSchema, rotatedSecretMessage);
      return rotatedSecretMessage(await rotateWebhookSecret(deps, anyCaller(context), input, store));
    },

    async testWebhook({ id }, context) {
      return pingMessage(await testWebhook(deps, anyCaller(context), referenceOf(context, id), context.signal));
    },

    async listWebhookDeliveries(request, context) {
      const { id: endpointId } = await getWebhook(deps, referenceOf(context, request.id));
      const { deliveries, nextPageToken } = await listDeliveries(deps, {
        endpointId,
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return {
        deliveries: deliveries.map(deliveryMessage),
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
    },

    async redeliverWebhook({ id, deliveryId }, context) {
      const input = { ...referenceOf(context, id), deliveryId };
      const store = storeAnswer(context, RedeliverWebhookResponseSchema, redelivered);
      return redelivered(await redeliverWebhook(deps, anyCaller(context), input, store));
    },
  };
}

function redelivered(delivery: Parameters<typeof deliveryMessage>[0]) {
  return { delivery: deliveryMessage(delivery) };
}

function referenceOf(context: HandlerContext, id: string): WebhookReference {
  return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context), id: webhookIdOf(id) };
}

/** Checks of requests that the schema cannot express. */
export function webhookFieldChecks(rules: DestinationRules): readonly FieldCheck[] {
  return [
    fieldCheck(CreateWebhookRequestSchema, ({ url, description }) => ({
      ...problemOf("url", customerUrlProblem(url, rules)),
      ...problemOf(
        "description",
        description === undefined || description === "" ? undefined : lineProblem(description),
      ),
    })),
    fieldCheck(UpdateWebhookRequestSchema, (request) => webhookChangesProblems(request, rules)),
  ];
}
