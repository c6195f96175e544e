import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { InvalidValue, notAString } from "../field-violations.ts";
import { formatFraction } from "./timestamp.ts";

const maxSeconds = 315_576_000_000;

const notADuration = new InvalidValue('must be a duration in seconds, such as "3.5s"');
const outOfRange = new InvalidValue(`must be between -${maxSeconds}s and ${maxSeconds}s`);

/** Reads a duration as ProtoJSON writes it: `3s`, `-0.500s`. */
export function readDuration(json: unknown): unknown {
  if (typeof json !== "string") {
    return notAString;
  }
  const parts = /^(-?)([0-9]+)(?:\.([0-9]{1,9}))?s$/.exec(json);
  if (parts === null) {
    return notADuration;
  }
  const [, sign, whole, fraction = ""] = parts;
  const seconds = Number(whole);
  const nanos = Number(fraction.padEnd(9, "0"));
  if (seconds > maxSeconds || (seconds === maxSeconds && nanos > 0)) {
    return outOfRange;
  }
  const factor = sign === "-" ? -1 : 1;
  // Adding 0 turns -0 into 0.
  return create(DurationSchema, { seconds: BigInt(seconds * factor), nanos: nanos * factor + 0 });
}

/**
 * Why a `google.protobuf.Duration` has no JSON form: it is out of range, or its seconds and nanoseconds differ in sign. The binary form
 * allows both. Undefined if it has one. The text follows the field's name.
 */
export function durationProblem(seconds: bigint, nanos: number): string | undefined {
  if (seconds < -maxSeconds || seconds > maxSeconds) {
    return outOfRange.message;
  }
  if (Math.abs(nanos) > 999_999_999) {
    return "must have -999999999 to 999999999 nanoseconds";
  }
  const isMixed = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
  return isMixed ? "must have seconds and nanoseconds of the same sign" : undefined;
}

/** Writes a duration in seconds, with three, six or nine digits of fraction where there is one. */
export function formatDuration(seconds: bigint, nanos: number): string {
  if (durationProblem(seconds, nanos) !== undefined) {
    throw new RangeError(`a duration of ${seconds} s and ${nanos} ns cannot be written`);
  }
  const total = seconds < 0n ? -seconds : seconds;
  const sign = seconds < 0n || nanos < 0 ? "-" : "";
  return `${sign}${total}${formatFraction(Math.abs(nanos))}s`;
}
