import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Mode } from "../../../gen/byond/v1/api_key_pb.ts";
import { type Event, type EventDataSchema, EventSchema } from "../../../gen/byond/v1/event_pb.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import { eventTypeOf } from "../../events/event-types.ts";

/** The object of an event, as a message. */
export type EventObject = NonNullable<MessageInitShape<typeof EventDataSchema>["object"]>;

/** Shows the objects of events of one kind. Each capability that writes events offers one. */
export interface EventObjects {
  /** The first word of the types of these events, such as `verification`. */
  readonly kind: string;
  /** The objects of events of this kind, which may be of several workspaces, in the order of the events. */
  read(events: readonly StoredEvent[]): Promise<readonly EventObject[]>;
}

/** Events as messages of the schema, in their order. */
export type EventMessages = (events: readonly StoredEvent[]) => Promise<readonly Event[]>;

/** Shows events with the objects that capabilities offer. An event of another kind has no data. */
export function eventMessages(offered: readonly EventObjects[]): EventMessages {
  return async (events) => {
    const objects = new Map<StoredEvent, EventObject>();
    for (const { kind, read } of offered) {
      const ofKind = events.filter(({ type }) => type.startsWith(`${kind}.`));
      const found = ofKind.length === 0 ? [] : await read(ofKind);
      for (const [index, event] of ofKind.entries()) {
        const object = found[index];
        if (object !== undefined) {
          objects.set(event, object);
        }
      }
    }
    return events.map((event) => messageOf(event, objects.get(event)));
  };
}

function messageOf({ id, type, mode, createdAt }: StoredEvent, object: EventObject | undefined): Event {
  return create(EventSchema, {
    id,
    type: eventTypeOf(type),
    mode: mode === "test" ? Mode.TEST : Mode.LIVE,
    createdAt: timestampFromDate(createdAt),
    ...(object === undefined ? {} : { data: { object } }),
  });
}
