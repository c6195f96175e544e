import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Event } from "#gen/byond/v1/event_pb.ts";
import type { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { followEvents } from "./follow-events.ts";
import { useMode } from "./mode.ts";

/** `paused`: by the caller, or because nobody sees the page. */
export type StreamState = "connecting" | "live" | "paused" | "interrupted";

export interface EventStreamOptions {
  /** Only this type, and only of this object. Not given: all. These and the mode must not change: give the component a key. */
  readonly type?: EventType | undefined;
  readonly subject?: string;
  /** The event to begin after. Null: with what happens from now on. Undefined: it is not known yet, and the stream waits. */
  readonly after: string | null | undefined;
  readonly isPaused?: boolean;
  readonly onEvent: (event: Event) => void;
  /** The stream began without an event to begin after: what is shown must be read anew. */
  readonly onGap: () => void;
}

/**
 * Receives events as they happen, each once. The stream is closed while the page is hidden, and then goes on where it was: over
 * HTTP/1.1 a browser has six connections to a server for all its tabs.
 */
export function useEventStream(options: EventStreamOptions): StreamState {
  const { type, subject = "", after, isPaused = false } = options;
  const mode = useMode();
  const isHidden = useSyncExternalStore(subscribeToVisibility, () => document.hidden);
  const [state, setState] = useState<StreamState>("connecting");
  const position = useRef<{ resumeAfter: string | null }>(undefined);
  const latest = useRef(options);
  const isReady = after !== undefined;
  const isOpen = isReady && !isPaused && !isHidden;
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    if (!isOpen) {
      return;
    }
    position.current ??= { resumeAfter: latest.current.after ?? null };
    const abort = new AbortController();
    void followEvents({
      mode,
      types: type === undefined ? [] : [type],
      subject,
      position: position.current,
      signal: abort.signal,
      onState: setState,
      onEvent: (event) => latest.current.onEvent(event),
      onGap: () => latest.current.onGap(),
    });
    return () => abort.abort();
  }, [mode, type, subject, isOpen]);
  if (!isReady) {
    return "connecting";
  }
  return isOpen ? state : "paused";
}

function subscribeToVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}
