import type { Message } from "@bufbuild/protobuf";
import { jsonMediaType, ndjsonMediaType } from "./http-response.ts";
import { prefers } from "./media-type.ts";
import {
  type EventStreamBinding,
  eventStreamComment,
  eventStreamMediaType,
  formatEvent,
} from "./server-sent-events.ts";

/** How the messages of a stream are written. */
export interface StreamFormat {
  readonly mediaType: string;
  /** Written when the stream is opened before its first message. May be empty. */
  readonly opening: Uint8Array;
  /** Written when nothing else was for a while. */
  readonly heartbeat: Uint8Array;
  /** `json`: what there is to show of the message. Undefined: nothing, it is a heartbeat of the handler. */
  readonly message: (message: Message, json: Uint8Array | undefined) => Uint8Array;
  /** Written last, if the stream fails. `json`: the body of the error. */
  readonly error: (json: Uint8Array) => Uint8Array;
}

/**
 * A JSON text on each line. A heartbeat is a blank in front of the next text, where JSON allows it (RFC 8259 §2): many readers parse
 * every line, and an empty one is no JSON.
 */
const jsonLines: StreamFormat = {
  mediaType: ndjsonMediaType,
  opening: new Uint8Array(),
  heartbeat: Buffer.from(" "),
  message: (_, json) => (json === undefined ? jsonLines.heartbeat : Buffer.concat([json, newline])),
  error: (json) => Buffer.concat([json, newline]),
};

const newline = Buffer.from("\n");

/** Server-sent events (HTML §9.2). An error is an event of the name `error`. */
function eventStream({ idOf, nameOf }: EventStreamBinding): StreamFormat {
  const comment = Buffer.from(eventStreamComment);
  return {
    mediaType: eventStreamMediaType,
    opening: comment,
    heartbeat: comment,
    message(message, json) {
      const id = idOf(message);
      return json === undefined && id === ""
        ? comment
        : formatEvent({ id, name: json === undefined ? "" : nameOf(message), json });
    },
    error: (json) => formatEvent({ id: "", name: "error", json }),
  };
}

/** The media types that streams of messages are acceptable as: to a client that takes JSON, lines of it are sent. */
export const streamMediaTypes = [ndjsonMediaType, eventStreamMediaType, jsonMediaType] as const;

/** Chooses how messages are written by what a request accepts. */
export function streamFormats(binding: EventStreamBinding): (accept: string | null) => StreamFormat {
  const events = eventStream(binding);
  return (accept) => (prefersEventStream(accept) ? events : jsonLines);
}

/** Whether a client prefers server-sent events to lines of JSON. If it ranks both the same, it gets the one that it names. */
function prefersEventStream(accept: string | null): boolean {
  if (accept === null || accept === eventStreamMediaType) {
    return accept !== null;
  }
  const isNamedAlone = names(accept, eventStreamMediaType) && !names(accept, ndjsonMediaType);
  return isNamedAlone
    ? !prefers(accept, ndjsonMediaType, eventStreamMediaType)
    : prefers(accept, eventStreamMediaType, ndjsonMediaType);
}

function names(accept: string, mediaType: string): boolean {
  return accept.toLowerCase().includes(mediaType);
}
