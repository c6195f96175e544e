import { EventService } from "../../../gen/byond/v1/event_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import { bindService } from "../../rpc/router.ts";
import { StreamPlaces } from "../../rpc/stream-places.ts";
import { EventHub } from "./event-hub.ts";
import { type EventMessages, type EventObjects, eventMessages } from "./event-messages.ts";
import { type EventSettings, eventSettings, readEventSettings } from "./event-settings.ts";
import { streaming } from "./events.policy.ts";
import { eventService } from "./events.rpc.ts";

interface Needs {
  /** Of every capability that writes events. */
  readonly objects: readonly Offer<EventObjects>[];
}

/** What this capability offers to others. */
export interface Events {
  readonly messages: EventMessages;
}

/** Events: listed, read one by one, and streamed. They are written by the capabilities whose objects they are about. */
export function eventsCapability({ objects }: Needs) {
  const offer = new Offer<Events>("events");
  const capability: Capability<EventSettings> = {
    name: "events",
    scopes: ["events"],
    settings: [eventSettings],
    readSettings: readEventSettings,
    start({ database, events, clock, logger }, { eventRetentionDays }) {
      const messages = eventMessages(objects.map(({ value }) => value));
      const hub = new EventHub({ log: events, show: messages, clock, logger, ...streaming });
      offer.give({ messages });
      const until = `(SELECT byond_now() - interval '${eventRetentionDays} days')`;
      return {
        services: [
          {
            binding: bindService(
              EventService,
              eventService({
                database,
                clock,
                messages,
                hub,
                places: new StreamPlaces("event streams", streaming.maxPerWorkspace),
                retentionMs: eventRetentionDays * 86_400_000,
              }),
            ),
          },
        ],
        endStreams: () => hub.close(),
        sweeps: [sweepOldest({ database }, { table: "event", column: "created_at", until })],
      };
    },
  };
  return { ...capability, offer };
}
