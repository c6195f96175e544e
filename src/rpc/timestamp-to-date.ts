import type { Timestamp } from "@bufbuild/protobuf/wkt";

/**
 * The date of a timestamp, cut to milliseconds. Protobuf's own `timestampDate` rounds, which makes the year 10000 of the last
 * microseconds of 9999: no answer could tell it.
 */
export function timestampToDate({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
