import { EventService } from "../../../gen/byond/v1/event_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import { bindService } from "../../rpc/router.ts";
import { type EventMessages, type EventObjects, eventMessages } from "./event-messages.ts";
import { type EventSettings, eventSettings, readEventSettings } from "./event-settings.ts";
import { eventService } from "./events.rpc.ts";

interface Needs {
  /** Of every capability that writes events. */
  readonly objects: readonly Offer<EventObjects>[];
}

/** What this capability offers to others. */
export interface Events {
  readonly messages: EventMessages;
}

/** Events: listed, and read one by one. They are written by the capabilities whose objects they are about. */
export function eventsCapability({ objects }: Needs) {
  const offer = new Offer<Events>("events");
  const capability: Capability<EventSettings> = {
    name: "events",
    scopes: ["events"],
    settings: [eventSettings],
    readSettings: readEventSettings,
    start({ database }, { eventRetentionDays }) {
      const messages = eventMessages(objects.map(({ value }) => value));
      offer.give({ messages });
      const until = `(SELECT byond_now() - interval '${eventRetentionDays} days')`;
      return {
        services: [{ binding: bindService(EventService, eventService({ database, messages })) }],
        sweeps: [sweepOldest({ database }, { table: "event", column: "created_at", until })],
      };
    },
  };
  return { ...capability, offer };
}
