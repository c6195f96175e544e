import { slotMinutes } from "./reports.policy.ts";

/** A day of a time zone. */
export interface ReportDay {
  /** Such as `2026-05-31`. */
  readonly date: string;
  readonly start: Date;
}

const dayMs = 86_400_000;
const slotMs = slotMinutes.short * 60_000;
const longSlotMs = slotMinutes.long * 60_000;

/** Whether it is the name of a time zone of the IANA database: no offset, such as `+08:00`, which `Intl` takes as well. */
export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether a text of the form of a date is one: there is no 31 June. */
export function isDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && dateOfUtc(ms) === text;
}

/** The date some days later, or earlier. */
export function addDays(date: string, days: number): string {
  return dateOfUtc(Date.parse(date) + days * dayMs);
}

export function daysBetween(from: string, until: string): number {
  return Math.round((Date.parse(until) - Date.parse(from)) / dayMs);
}

/** The date that it is at a moment. */
export function dateAt(moment: Date, timeZone: string): string {
  return dateIn(timeZone)(moment.getTime());
}

/**
 * The days of a period, and the moment at which the day after it begins. A day begins with its first quarter of an hour: not always at midnight, where
 * clocks are put forward then, and never if the zone has skipped it.
 */
export function daysOf(from: string, until: string, timeZone: string): { days: readonly ReportDay[]; end: Date } {
  const dateOf = dateIn(timeZone);
  const startOf = (date: string) => {
    // No zone is more than 14 hours ahead of UTC, or 12 behind.
    let [before, start] = [Date.parse(date) - 16 * 3_600_000, Date.parse(date) + 16 * 3_600_000];
    while (start - before > slotMs) {
      const middle = before + Math.floor((start - before) / slotMs / 2) * slotMs;
      [before, start] = dateOf(middle) < date ? [middle, start] : [before, middle];
    }
    return new Date(start);
  };
  const dates = Array.from({ length: daysBetween(from, until) + 1 }, (_, index) => addDays(from, index));
  return { days: dates.map((date) => ({ date, start: startOf(date) })), end: startOf(addDays(until, 1)) };
}

/** A period of slots of one length. */
export interface SlotPeriod {
  readonly minutes: number;
  readonly start: Date;
  readonly end: Date;
}

/** The slots that are a period: long ones where they fit, short ones before and after them. */
export function slotsOf(start: Date, end: Date): readonly SlotPeriod[] {
  const firstMs = Math.ceil(start.getTime() / longSlotMs) * longSlotMs;
  const lastMs = Math.floor(end.getTime() / longSlotMs) * longSlotMs;
  const { short, long } = slotMinutes;
  const periods =
    firstMs < lastMs
      ? [
          { minutes: short, start, end: new Date(firstMs) },
          { minutes: long, start: new Date(firstMs), end: new Date(lastMs) },
          { minutes: short, start: new Date(lastMs), end },
        ]
      : [{ minutes: short, start, end }];
  return periods.filter((period) => period.start < period.end);
}

function dateIn(timeZone: string): (ms: number) => string {
  // This locale writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return (ms) => format.format(ms);
}

const dateOfUtc = (ms: number) => new Date(ms).toISOString().slice(0, 10);
