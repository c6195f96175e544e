import { type DescField, type DescMethod, type Message, ScalarType } from "@bufbuild/protobuf";
import type { JsonStyle } from "./json/json-style.ts";
import { enumWriter, scalarWriter, type WriteValue } from "./json/scalar-writer.ts";
import { getField, isMembers, membersOf } from "./json/value-type.ts";

/** The media type of server-sent events (HTML §9.2.5). It is always UTF-8. */
export const eventStreamMediaType = "text/event-stream";

/**
 * The fields of a server-streaming RPC that have a meaning in server-sent events. Each is the path of a singular field: names as in the
 * proto file, joined by dots.
 */
export interface EventStreamFields {
  /** In the response: the event's id. A reader that reconnects sends the last one as `Last-Event-ID`. */
  readonly id?: string;
  /** In the response: the event's name, by which browsers choose the listener. Unset, or without it: `message`. */
  readonly event?: string;
  /** In the request: set to `Last-Event-ID`, which overrides the query: a browser repeats the URL that it began with. */
  readonly lastEventId?: string;
}

/** The fields, found in the messages of an RPC. */
export interface EventStreamBinding {
  /** The id of a response; empty if it has none. */
  readonly idOf: TextOf;
  /** The name of a response; empty if it has none. */
  readonly nameOf: TextOf;
  /** The paths to the fields, outermost first. */
  readonly id: readonly DescField[] | undefined;
  readonly event: readonly DescField[] | undefined;
  readonly lastEventId: readonly DescField[] | undefined;
}

type TextOf = (message: Message) => string;

const noText: TextOf = () => "";

/** Finds the fields in the messages of an RPC. Adds a line to `problems` for each that is not there, or is no single value. */
export function bindEventStream(
  method: DescMethod,
  fields: EventStreamFields | undefined,
  style: JsonStyle,
  problems: string[],
): EventStreamBinding {
  const resolve = (path: string | undefined, message: DescMethod["input"]): readonly DescField[] | undefined => {
    if (path === undefined) {
      return undefined;
    }
    const found = method.methodKind === "server_streaming" ? fieldsOf(message, path) : "does not stream its responses";
    if (typeof found === "string") {
      problems.push(`${method.parent.typeName}.${method.name}: has "${path}" for server-sent events, but ${found}`);
      return undefined;
    }
    return found;
  };
  const id = resolve(fields?.id, method.output);
  const event = resolve(fields?.event, method.output);
  const lastEventId = resolve(fields?.lastEventId, method.input);
  return { id, event, lastEventId, idOf: textOf(id, style), nameOf: textOf(event, style) };
}

/**
 * One event (HTML §9.2.6). `json` has no line breaks, as `JSON.stringify` writes it. An event without data dispatches nothing in
 * browsers, but they remember its id.
 */
export function formatEvent({ id, name, json }: { id: string; name: string; json?: Uint8Array | undefined }): Buffer {
  const head = `${line("event", name)}${line("id", id)}`;
  return json === undefined
    ? Buffer.from(`${head}\n`)
    : Buffer.concat([Buffer.from(`${head}data: `), json, endOfEvent]);
}

const endOfEvent = Buffer.from("\n\n");

/** A comment, which readers ignore. */
export const eventStreamComment = ":\n\n";

/** The id that a reader sends, which is UTF-8 where a header is read as Latin-1. Undefined: it has none. */
export function readLastEventId(header: Headers): string | undefined {
  const value = header.get("last-event-id");
  return value === null || value === "" ? undefined : Buffer.from(value, "latin1").toString();
}

/** Throws for what would end the line, and NUL, with which an id is ignored: the handler has sent it. */
function line(field: string, value: string): string {
  if (value === "") {
    return "";
  }
  if (/[\0\r\n]/.test(value)) {
    throw new TypeError(`the ${field} of a server-sent event has a line break or NUL in it`);
  }
  return `${field}: ${value}\n`;
}

/** The fields of a path, or what is wrong with it. */
function fieldsOf(message: DescMethod["input"], path: string): readonly DescField[] | string {
  const fields: DescField[] = [];
  let current: DescMethod["input"] | undefined = message;
  for (const name of path.split(".")) {
    const field: DescField | undefined = current?.fields.find((each) => each.name === name);
    if (field === undefined) {
      return `${message.typeName} has no such field`;
    }
    if (field.fieldKind === "list" || field.fieldKind === "map") {
      return `${field.name} is repeated`;
    }
    fields.push(field);
    current = field.message;
  }
  const last = fields.at(-1);
  if (last?.fieldKind === "message" || last?.scalar === ScalarType.BYTES) {
    return "it is neither text nor a number nor an enum";
  }
  return fields;
}

function textOf(fields: readonly DescField[] | undefined, style: JsonStyle): TextOf {
  const last = fields?.at(-1);
  if (fields === undefined || last === undefined) {
    return noText;
  }
  const write = textWriter(last, style);
  return (message) => {
    let value: unknown = membersOf(message);
    for (const field of fields) {
      if (!isMembers(value)) {
        return "";
      }
      value = getField(value, field);
    }
    return value === undefined ? "" : String(write(value));
  };
}

function textWriter(field: DescField, style: JsonStyle): WriteValue {
  if (field.enum !== undefined) {
    const write = enumWriter(field.enum, style);
    // The first value of an enum says that there is none.
    return (value) => (value === 0 ? "" : write(value));
  }
  return scalarWriter(field.scalar ?? ScalarType.STRING);
}
