import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { InvalidValue, notAString } from "../field-violations.ts";

const notATimestamp = new InvalidValue("must be an RFC 3339 timestamp");
const outOfRange = new InvalidValue("must be between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z");

const minSeconds = -62135596800;
const maxSeconds = 253402300799;

const rfc3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;

/**
 * Reads an RFC 3339 timestamp with up to nine fractional digits. Rejects days that do not exist, and leap seconds, which a
 * `google.protobuf.Timestamp` cannot hold.
 */
export function readTimestamp(json: unknown): unknown {
  if (typeof json !== "string") {
    return notAString;
  }
  // The longest one has 35 characters.
  const parts = json.length <= 35 ? rfc3339.exec(json) : null;
  if (parts === null) {
    return notATimestamp;
  }
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = parts;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  const hours = Number(hour);
  if (days === undefined || hours > 23 || Number(minute) > 59 || Number(second) > 59) {
    return notATimestamp;
  }
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) {
    return notATimestamp;
  }
  const offset = (Number(offsetHours) * 3600 + Number(offsetMinutes) * 60) * (sign === "-" ? -1 : 1);
  const seconds = days * 86400 + hours * 3600 + Number(minute) * 60 + Number(second) - offset;
  if (seconds < minSeconds || seconds > maxSeconds) {
    return outOfRange;
  }
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: Number(fraction.padEnd(9, "0")) });
}

/**
 * Why a `google.protobuf.Timestamp` has no JSON form: it is outside the years 0001 to 9999, or its nanoseconds are negative or too
 * many. The binary form allows both. Undefined if it has one. The text follows the field's name.
 */
export function timestampProblem(seconds: bigint, nanos: number): string | undefined {
  if (seconds < minSeconds || seconds > maxSeconds) {
    return outOfRange.message;
  }
  return nanos < 0 || nanos > 999_999_999 ? "must have 0 to 999999999 nanoseconds" : undefined;
}

/** Writes a timestamp in UTC, with no, three, six or nine fractional digits; with `wholeSeconds` without any. */
export function formatTimestamp(seconds: bigint, nanos: number, wholeSeconds: boolean): string {
  if (timestampProblem(seconds, nanos) !== undefined) {
    throw new RangeError(`a timestamp of ${seconds} s and ${nanos} ns cannot be written`);
  }
  const whole = Number(seconds);
  const days = Math.floor(whole / 86_400);
  const rest = whole - days * 86_400;
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor((rest % 3600) / 60);
  const time = `${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(rest % 60)}`;
  return `${formatDay(days)}T${time}${wholeSeconds ? "" : formatFraction(nanos)}Z`;
}

const digits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));

function twoDigits(number: number): string {
  return digits[number] ?? String(number);
}

/**
 * Writes the date of a day since 1970-01-01, proleptic Gregorian. Counts in eras of 400 years that begin on the first
 * of March of year 0, so that the leap day is the last of its year; `Date` takes four times as long.
 */
function formatDay(daysSince1970: number): string {
  const days = daysSince1970 + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  const fullYear = `${twoDigits(Math.floor(year / 100))}${twoDigits(year % 100)}`;
  return `${fullYear}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** The fraction of a second as three, six or nine digits (`.500`), or nothing if it is zero. */
export function formatFraction(nanos: number): string {
  if (nanos === 0) {
    return "";
  }
  const digits = nanos.toString().padStart(9, "0");
  return `.${digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits}`;
}

/** Days since 1970-01-01 in the Gregorian calendar; `undefined` for a day that does not exist. */
function daysFromCivil(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  // Unlike `Date.UTC`, this takes the years 0 to 99 as they are.
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() / 86_400_000 : undefined;
}
