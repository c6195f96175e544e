import { openStream } from "@byond/rest/stream-opening";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Event, EventService } from "../../../gen/byond/v1/event_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller } from "../../access/caller.ts";
import { storedType } from "../../events/event-types.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import type { EventMessages } from "./event-messages.ts";
import { pageSize } from "./events.policy.ts";
import { getEvent } from "./get-event.ts";
import { listEvents } from "./list-events.ts";
import { type StreamEventsDependencies, streamEvents } from "./stream-events.ts";

export interface EventServiceDependencies extends Omit<StreamEventsDependencies<Event>, "show"> {
  readonly messages: EventMessages;
}

/** EventService: translates messages to operations and back. */
export function eventService(deps: EventServiceDependencies): ServiceImpl<typeof EventService> {
  return {
    async listEvents(request, context) {
      const { events, nextPageToken } = await listEvents(deps, {
        workspaceId: anyCaller(context).workspaceId,
        mode: callMode(context),
        type: request.type === undefined ? undefined : storedType(request.type),
        subjectId: request.subject,
        createdAfter: request.createdAfter === undefined ? undefined : timestampToDate(request.createdAfter),
        createdBefore: request.createdBefore === undefined ? undefined : timestampToDate(request.createdBefore),
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return {
        events: [...(await deps.messages(events))],
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
    },

    async getEvent({ id }, context) {
      const { workspaceId } = anyCaller(context);
      const [event] = await deps.messages([await getEvent(deps, { workspaceId, mode: callMode(context), id })]);
      return event === undefined ? {} : { event };
    },

    async *streamEvents({ after, types, subject }, context) {
      const input = {
        workspaceId: anyCaller(context).workspaceId,
        mode: callMode(context),
        types: types.map((type) => storedType(type)).filter((type) => type !== undefined),
        subjectId: subject,
        after,
      };
      yield* streamEvents({ ...deps, show: deps.messages }, input, {
        signal: context.signal,
        onOpen: () => openStream(context),
      });
    },
  };
}
