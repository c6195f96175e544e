import type { DescField, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ndjsonMediaType } from "../http-response.ts";
import type { JsonStyle } from "../json/json-style.ts";
import type { Route } from "../route.ts";
import { bindEventStream, type EventStreamFields, eventStreamMediaType, formatEvent } from "../server-sent-events.ts";
import type { Examples } from "./example-messages.ts";
import type { MessageSchemas } from "./message-schemas.ts";

/** What a stream of messages is answered with, in each of its formats. */
export function streamContent(
  route: Route,
  fields: EventStreamFields | undefined,
  shown: { readonly schema: JsonObject; readonly example: JsonValue },
  { style, examples }: { readonly style: JsonStyle; readonly examples: Examples },
): JsonObject {
  const binding = bindEventStream(route.method, fields, style, []);
  const textOf = (path: readonly DescField[] | undefined) => {
    const last = path?.at(-1);
    return last === undefined ? "" : String(examples.anyOfField(last, "response"));
  };
  const event = formatEvent({
    id: textOf(binding.id),
    name: textOf(binding.event),
    json: Buffer.from(JSON.stringify(shown.example)),
  });
  return {
    [ndjsonMediaType]: shown,
    [eventStreamMediaType]: { schema: { type: "string" }, example: event.toString() },
  };
}

/** How a stream is to be read. */
export function streamNotes(fields: EventStreamFields | undefined): string {
  const resumes =
    fields?.lastEventId === undefined
      ? ""
      : ` A reader that reconnects with \`Last-Event-ID\`, as browsers do, goes on after that event: it overrides \`${fields.lastEventId}\`.`;
  return `One JSON text a line; blanks in front of one are heartbeats. With \`Accept: text/event-stream\` server-sent events, whose \`data\` is the same JSON.${resumes} A stream that fails after it has begun ends with an error: as the last line, or as an event of the name \`error\`.`;
}

/** The parameter for the id of the last event: printable ASCII, of the length that the field may have. */
export function lastEventIdParameter(
  { method }: Route,
  fields: EventStreamFields | undefined,
  { style, schemas }: { readonly style: JsonStyle; readonly schemas: MessageSchemas },
): JsonObject[] {
  const field = bindEventStream(method, fields, style, []).lastEventId?.at(-1);
  if (field === undefined) {
    return [];
  }
  const { maxLength } = schemas.value(field, "request");
  return [
    {
      in: "header",
      name: "Last-Event-ID",
      description: `The id of the last event that was received. Overrides \`${fields?.lastEventId}\`.`,
      schema: { type: "string", ...(maxLength === undefined ? {} : { maxLength }), pattern: "^[ -~]*$" },
    },
  ];
}
