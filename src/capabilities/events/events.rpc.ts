import type { ServiceImpl } from "@connectrpc/connect";
import type { EventService } from "../../../gen/byond/v1/event_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { storedType } from "../../events/event-types.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import type { EventMessages } from "./event-messages.ts";
import { pageSize } from "./events.policy.ts";
import { getEvent } from "./get-event.ts";
import { listEvents } from "./list-events.ts";

export interface EventServiceDependencies {
  readonly database: Queryable;
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
  };
}
