import { createClient } from "@connectrpc/connect";
import { type Event, EventService } from "#gen/byond/v1/event_pb.ts";
import type { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { toHouseError } from "./house-error.ts";
import type { ModeName } from "./mode.ts";
import { transports } from "./transport.ts";

export interface FollowedEvents {
  readonly mode: ModeName;
  /** Only these types, and only of this object. Empty: all. */
  readonly types: readonly EventType[];
  readonly subject: string;
  /** Where the stream goes on: after this event; null: with what happens from now on. It is moved along. */
  readonly position: { resumeAfter: string | null };
  readonly signal: AbortSignal;
  readonly onState: (state: "connecting" | "live" | "interrupted") => void;
  readonly onEvent: (event: Event) => void;
  /** The stream began without an event to begin after: what happened before is not known. */
  readonly onGap: () => void;
}

const retryMs = { first: 1_000, longest: 15_000 };

/** Receives events until the signal is aborted. An interrupted stream goes on after its last event. */
export async function followEvents(follow: FollowedEvents): Promise<void> {
  const { signal, position, onState } = follow;
  onState("connecting");
  for (let pauseMs = retryMs.first; ; pauseMs = Math.min(pauseMs * 2, retryMs.longest)) {
    try {
      await readStream(follow, () => {
        pauseMs = retryMs.first / 2;
        onState("live");
      });
    } catch (error) {
      if (!signal.aborted && toHouseError(error).code === "not_found") {
        position.resumeAfter = null;
      }
    }
    if (signal.aborted) {
      return;
    }
    onState("interrupted");
    await pause(pauseMs, signal);
  }
}

async function readStream(follow: FollowedEvents, onMessage: () => void): Promise<void> {
  const { mode, types, subject, position, signal, onEvent, onGap } = follow;
  const request = {
    types: [...types],
    ...(subject !== "" && { subject }),
    ...(position.resumeAfter !== null && { after: position.resumeAfter }),
  };
  const messages = createClient(EventService, transports[mode]).streamEvents(request, { signal });
  for await (const { event, resumeAfter } of messages) {
    if (position.resumeAfter === null) {
      onGap();
    }
    position.resumeAfter = resumeAfter;
    onMessage();
    if (event !== undefined) {
      onEvent(event);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) {
      end();
    }
  });
}
