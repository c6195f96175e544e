import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { EventService } from "../../../../gen/byond/v1/event_pb.ts";
import { WebhookService } from "../../../../gen/byond/v1/webhook_pb.ts";
import { restStyle } from "../../../rpc/rest-style.ts";
import eventExamples from "./event-examples.json" with { type: "json" };
import { groupTitle } from "./titles.ts";

/** The group of the operations that manage endpoints. A server without them sends nothing. */
export const webhookTag = groupTitle(WebhookService);

/**
 * The group that the requests to endpoints are listed in. Not that of the operations: OpenAPI Generator writes a file for each group of
 * either, and one would replace the other.
 */
const deliveryTag = "Webhook events";

/** Bodies that an endpoint got, by type. `test/capabilities/webhooks/event-examples.test.ts` writes them. */
const examples: Readonly<Record<string, JsonValue>> = eventExamples;

/** The requests that this server sends: one for each type of event. Empty unless `services` have both events and webhooks. */
export function webhookSection(services: readonly DescService[]): JsonObject {
  const eventService = services.find(({ typeName }) => typeName === EventService.typeName);
  if (eventService === undefined || !services.some(({ typeName }) => typeName === WebhookService.typeName)) {
    return {};
  }
  const type = eventService.method.listEvents?.input.field.type?.enum;
  const values = type?.values.filter(({ number }) => number !== 0) ?? [];
  return {
    webhooks: Object.fromEntries(
      values.map((value) => {
        const word = restStyle.enumWord?.(value) ?? value.name;
        return [word, { post: delivery(word, commentOf(value)) }];
      }),
    ),
  };
}

function delivery(type: string, comment: string): JsonObject {
  const example = examples[type];
  if (example === undefined) {
    throw new TypeError(`event-examples.json has no event of the type ${type}`);
  }
  return {
    operationId: `on_${type.replace(".", "_")}`,
    summary: type,
    description: comment,
    tags: [deliveryTag],
    security: [],
    parameters: ["WebhookId", "WebhookTimestamp", "WebhookSignature", "WebhookByondSignature"].map((name) => ({
      $ref: `#/components/parameters/${name}Header`,
    })),
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/Event" }, example } },
    },
    responses: {
      "2XX": { description: "You have the event. The body of your answer is not interpreted." },
      "410": { description: "The endpoint is gone. It is disabled, and gets no more events." },
      default: { description: "Any other answer, or none within 15 seconds: the event is sent again later." },
    },
  };
}
