import type { Writable } from "node:stream";
import { pino } from "pino";
import { prettyLine } from "./pretty-line.ts";

/**
 * The fields of one log line, a JSON object. No value may hold a secret, a code or a full recipient. A thrown error goes into
 * the field `error`.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Events are stable names in snake_case. docs/guides/operations.md describes each one. */
export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type LogLevel = "info" | "warn" | "error";

export const logLevels: readonly LogLevel[] = ["info", "warn", "error"];

/** `json`: an object on each line, for programs. `pretty`: for people at a terminal. */
export type LogFormat = "json" | "pretty";

export interface LogSettings {
  /** Lines of lower levels are not written. */
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** How far the reader may lag behind. Beyond it, lines are dropped. */
const maxUnreadBytes = 16 * 1024 * 1024;

/**
 * Writes to a stream as long as somebody reads it. If the reader is gone (EPIPE) or stalls, or the disk is full, the text is
 * dropped: requests do not suffer because nobody reads the log.
 */
export function writeWhileRead(stream: Writable): (text: string) => void {
  // Without a listener, the error would end the process.
  stream.on("error", () => undefined);
  return (text) => {
    if (stream.writableLength < maxUnreadBytes) {
      stream.write(text);
    }
  };
}

/** Resolves when the reader has taken all that was written or has gone, and after `withinMs` at the latest. To be awaited before the process exits. */
export async function untilRead(stream: Writable, withinMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  // Called with an error, too, if the reader has gone.
  stream.write("", () => resolve());
  await promise;
  clearTimeout(timer);
}

/** Texts that are written together. */
export interface BatchedWriter {
  readonly write: (text: string) => void;
  /** Writes what waits. To be called when the process exits, too: then nothing is lost. */
  readonly flush: () => void;
}

/** Collects what is written in one turn of the event loop: a line for each request would be a system call for each. */
export function batchWrites(write: (text: string) => void): BatchedWriter {
  let waiting = "";
  const flush = () => {
    const text = waiting;
    waiting = "";
    if (text !== "") {
      write(text);
    }
  };
  return {
    write(text) {
      if (waiting === "") {
        setImmediate(flush);
      }
      waiting += text;
    },
    flush,
  };
}

let lastLineAtMs = Number.NaN;
let lastTime = "";

/** The time as a member of the line. It is written once for all lines of a millisecond. */
function timeOfLine(): string {
  const nowMs = Date.now();
  if (nowMs !== lastLineAtMs) {
    lastLineAtMs = nowMs;
    lastTime = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return lastTime;
}

/** What JSON leaves as it is, and a terminal would obey: DEL and C1. */
const controls = /[\x7f-\x9f]/g;

/** Text that JSON writes as it is. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * The fields as members of a JSON object, each after a comma, if all of them are text, numbers, booleans or null: the line of a request, which is written
 * for each, takes a third of what pino needs for it. Undefined for others.
 */
function plainMembers(fields: LogFields): string | undefined {
  let members = "";
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string") {
      members += plainText.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
    } else if (typeof value === "number" || typeof value === "boolean" || value === null) {
      members += `,"${name}":${JSON.stringify(value)}`;
    } else if (value !== undefined) {
      return undefined;
    }
  }
  return members;
}

/**
 * A logger that writes one line for each event: a JSON object, unless the settings say otherwise. `write` gets the line with its newline; `fieldsOfAll` are in every line. It replaces pino's own destination
 * (sonic-boom): when the reader stalls, that blocks a thread of Node's pool, which hashing needs, and the process cannot exit.
 */
export function createLogger(
  write: (line: string) => void,
  fieldsOfAll: LogFields | null = null,
  { level: lowest, format }: LogSettings = { level: "info", format: "json" },
): Logger {
  const writeEscaped = (line: string) =>
    write(line.replace(controls, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`));
  const log = pino(
    {
      base: fieldsOfAll,
      timestamp: timeOfLine,
      formatters: { level: (level) => ({ level }) },
      // pino's serializer would write every property of the error, such as the row that PostgreSQL quotes.
      serializers: { error: describeError },
    },
    { write: writeEscaped },
  );
  const membersOfAll = fieldsOfAll === null ? "" : plainMembers(fieldsOfAll);
  const line = (level: LogLevel) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(lowest)) {
      return () => undefined;
    }
    if (format === "pretty") {
      return (event: string, fields: LogFields = {}) =>
        write(prettyLine(new Date(), level, event, { ...fieldsOfAll, ...fields }, describeError));
    }
    return (event: string, fields: LogFields = {}) => {
      const members = plainMembers(fields);
      if (members === undefined || membersOfAll === undefined) {
        log[level]({ event, ...fields });
      } else {
        writeEscaped(`{"level":"${level}"${timeOfLine()}${membersOfAll},"event":"${event}"${members}}\n`);
      }
    };
  };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

/** An error as the log shows it: name, message and stack, and the same for its cause. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) {
    return { message: String(error) };
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
