import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { EventService } from "../../../../gen/byond/v1/event_pb.ts";
import { WebhookService } from "../../../../gen/byond/v1/webhook_pb.ts";
import { restStyle } from "../../../rpc/rest-style.ts";
import eventExamples from "./event-examples.json" with { type: "json" };
import { exampleIds } from "./example-ids.ts";
import { groupTitle } from "./titles.ts";

/** The group of the operations that manage endpoints. A server without them sends nothing. */
export const webhookTag = groupTitle(WebhookService);

/** The group that the requests to endpoints are listed in. */
const deliveryTag = "Webhook events";

/** Of every delivery. */
const signatureHeaders: JsonObject[] = [
  {
    in: "header",
    name: "webhook-id",
    required: true,
    description: "The id of the event, the same each time it is sent. Use it to notice an event that you have already.",
    schema: { type: "string", pattern: "^evt_[0-9A-Za-z]{22}$" },
    example: exampleIds.approved,
  },
  {
    in: "header",
    name: "webhook-timestamp",
    required: true,
    description: "When this attempt was signed, in Unix seconds.",
    schema: { type: "string", pattern: "^[0-9]+$" },
    example: "1781516221",
  },
  {
    in: "header",
    name: "webhook-signature",
    required: true,
    description:
      "Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, once for each secret that is valid, separated by spaces.",
    schema: { type: "string", pattern: "^v1,[0-9A-Za-z+/]{43}=( v1,[0-9A-Za-z+/]{43}=)*$" },
    example: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
  },
  {
    in: "header",
    name: "Byond-Signature",
    required: true,
    description:
      "The time in Unix milliseconds, and the hexadecimal HMAC-SHA256 of `<t>.<body>` under the whole secret, once for each secret that is valid.",
    schema: { type: "string", pattern: "^t=[0-9]+(,v1=[0-9a-f]{64})+$" },
    example: "t=1781516221000,v1=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  },
];

/** Bodies that an endpoint got, by type. `test/capabilities/webhooks/event-examples.test.ts` writes them. */
const examples: Readonly<Record<string, JsonValue>> = eventExamples;

/**
 * The requests that this server sends: one for each type of event. Empty unless `services` have both events and webhooks. Not in OpenAPI's
 * `webhooks`, of which OpenAPI Generator makes calls to this server, and in TypeScript code that does not compile; renderers of
 * documents know `x-webhooks`, too.
 */
export function webhookSection(services: readonly DescService[]): JsonObject {
  const eventService = services.find(({ typeName }) => typeName === EventService.typeName);
  if (eventService === undefined || !services.some(({ typeName }) => typeName === WebhookService.typeName)) {
    return {};
  }
  const type = eventService.method.listEvents?.input.field.type?.enum;
  const values = type?.values.filter(({ number }) => number !== 0) ?? [];
  return {
    "x-webhooks": Object.fromEntries(
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
    parameters: signatureHeaders,
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/Event" }, example } },
    },
    responses: {
      "2XX": { description: "Your endpoint has the event. The body of its response is ignored." },
      "410": { description: "The endpoint is gone. The server disables the webhook." },
      default: { description: "Any other response, or none within 15 seconds: the event is sent again later." },
    },
  };
}
