import { create, createRegistry } from "@bufbuild/protobuf";
import { JsonWriter } from "@byond/rest/json/json-writer";
import { EventSchema, EventService, GetEventResponseSchema } from "../../../gen/byond/v1/event_pb.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import { apiVersions, downgradeAnswer } from "../../rpc/api-versions.ts";
import { restStyle } from "../../rpc/rest-style.ts";
import type { EventMessages } from "../events/event-messages.ts";

/** Writes an event as the body of a delivery. */
export type RenderEvent = (event: StoredEvent, apiVersion: string) => Promise<string>;

const writeEvent = new JsonWriter({
  style: restStyle,
  ignoresUnknownFields: false,
  registry: createRegistry(),
}).message(EventSchema);

/** The body of an event: what `GET /events/{id}` answers in a version of the API. */
export function renderEventWith(messages: EventMessages): RenderEvent {
  return async (event, apiVersion) => {
    const [message] = await messages([event]);
    const answer = create(GetEventResponseSchema, message === undefined ? {} : { event: message });
    downgradeAnswer(apiVersions, apiVersion, EventService.method.getEvent, answer);
    return JSON.stringify(answer.event === undefined ? null : writeEvent(answer.event));
  };
}
