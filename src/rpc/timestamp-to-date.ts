import type { Timestamp } from "@bufbuild/protobuf/wkt";

/**
 * Converts a timestamp to a date, truncated to milliseconds. Protobuf's own `timestampDate` rounds: the last microseconds of
 * 9999 would become the year 10000, which no answer can represent.
 */
export function timestampToDate({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
