import type { Writable } from "node:stream";
import { pino, stdTimeFunctions } from "pino";

/**
 * A line of the log: one JSON object. Values are for the operator and hold no secret, no code and no full recipient. An error goes
 * into the field `error`, as it was thrown.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Of a reader that does not keep up; beyond it, lines are lost. */
const maxUnreadBytes = 16 * 1024 * 1024;

/**
 * Writes to a stream for as long as somebody reads it. When the reader has gone (EPIPE) or stands still, or there is no room on
 * the disk, what is written is lost, and nothing else: nobody is served worse because nobody collects the log.
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

/**
 * A logger that writes one JSON object a line. `write` gets the line with its newline. It stands in for pino's own destination
 * (sonic-boom): when the reader stands still, that one keeps a thread of Node's pool, which hashes then lack, and the process
 * cannot exit.
 */
export function createLogger(write: (line: string) => void): Logger {
  const log = pino(
    {
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // pino's serializer would write every property of the error, such as the row that PostgreSQL quotes.
      serializers: { error: describeError },
    },
    { write },
  );
  const line =
    (level: "info" | "warn" | "error") =>
    (event: string, fields: LogFields = {}) =>
      log[level]({ event, ...fields });
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

/** What the log says of an error: its kind, message and stack, and the same of its cause. */
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
