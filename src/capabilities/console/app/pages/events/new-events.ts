import type { Event } from "#gen/byond/v1/event_pb.ts";

/** New events that are kept above the list. Beyond that it is read anew. */
export const maxNew = 500;

export interface NewEvents {
  /** Newest first. */
  readonly events: readonly Event[];
  /** How many of them came since the list is being read anew; the list will have the others. Undefined: it is not. */
  readonly sinceReading: number | undefined;
}

export type NewEventsChange =
  | { readonly name: "happened"; readonly event: Event }
  | { readonly name: "reading" | "read" };

export const noNewEvents: NewEvents = { events: [], sinceReading: undefined };

/** Events that happen while the list is read anew stay: the answer may have been made before them. */
export function addNewEvents({ events, sinceReading }: NewEvents, change: NewEventsChange): NewEvents {
  switch (change.name) {
    case "happened":
      return {
        events: [change.event, ...events],
        sinceReading: sinceReading === undefined ? undefined : sinceReading + 1,
      };
    case "reading":
      return { events, sinceReading: 0 };
    case "read":
      return { events: events.slice(0, sinceReading), sinceReading: undefined };
  }
}
