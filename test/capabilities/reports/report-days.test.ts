/** Days of time zones: where they begin, and which there are. */
import { expect, test } from "vitest";
import { addDays, dateAt, daysOf, isDate, isTimeZone, slotsOf } from "../../../src/capabilities/reports/report-days.ts";

const startsOf = (from: string, until: string, timeZone: string) => {
  const { days, end } = daysOf(from, until, timeZone);
  return [...days.map(({ start }) => start), end].map((start) => start.toISOString().slice(0, 16));
};

test.each([
  ["UTC", "2026-05-31", "2026-05-31T00:00"],
  ["Asia/Singapore", "2026-05-31", "2026-05-30T16:00"],
  ["Asia/Kolkata", "2026-05-31", "2026-05-30T18:30"],
  ["Asia/Calcutta", "2026-05-31", "2026-05-30T18:30"],
  ["Asia/Kathmandu", "2026-05-31", "2026-05-30T18:15"],
  ["Pacific/Chatham", "2026-01-01", "2025-12-31T10:15"],
  ["Pacific/Kiritimati", "2026-05-31", "2026-05-30T10:00"],
  ["Etc/GMT+12", "2026-05-31", "2026-05-31T12:00"],
  // Clocks go from 23:59 to 01:00.
  ["America/Santiago", "2026-09-06", "2026-09-06T04:00"],
])("a day in %s begins where the one before it ends", (timeZone, date, start) => {
  expect(startsOf(addDays(date, -1), date, timeZone)[1]).toBe(start);
  expect(startsOf(date, date, timeZone)[0]).toBe(start);
});

test("days are as long as the zone has them: 23 and 25 hours where clocks change, none where a date was skipped", () => {
  expect(startsOf("2026-03-29", "2026-03-30", "Europe/Berlin")).toEqual([
    "2026-03-28T23:00",
    "2026-03-29T22:00",
    "2026-03-30T22:00",
  ]);
  expect(startsOf("2026-10-25", "2026-10-25", "Europe/Berlin")).toEqual(["2026-10-24T22:00", "2026-10-25T23:00"]);
  expect(startsOf("2011-12-30", "2011-12-30", "Pacific/Apia")).toEqual(["2011-12-30T10:00", "2011-12-30T10:00"]);
});

test("all time zones have days that begin with a quarter of an hour", () => {
  for (const timeZone of Intl.supportedValuesOf("timeZone")) {
    const [start = "", end = ""] = startsOf("2026-05-31", "2026-05-31", timeZone);
    expect(dateAt(new Date(`${start}Z`), timeZone)).toBe("2026-05-31");
    expect(dateAt(new Date(Date.parse(`${start}Z`) - 1_000), timeZone)).toBe("2026-05-30");
    expect(dateAt(new Date(Date.parse(`${end}Z`) - 1_000), timeZone)).toBe("2026-05-31");
  }
});

test.each([
  // UTC, and zones whose days begin with six hours of UTC: long slots alone.
  ["2026-05-31T00:00", "2026-06-30T00:00", [[360, "2026-05-31T00:00", "2026-06-30T00:00"]]],
  ["2026-05-30T18:00", "2026-05-31T18:00", [[360, "2026-05-30T18:00", "2026-05-31T18:00"]]],
  [
    "2026-05-30T18:15",
    "2026-05-31T18:15",
    [
      [15, "2026-05-30T18:15", "2026-05-31T00:00"],
      [360, "2026-05-31T00:00", "2026-05-31T18:00"],
      [15, "2026-05-31T18:00", "2026-05-31T18:15"],
    ],
  ],
  ["2026-05-31T05:00", "2026-05-31T07:00", [[15, "2026-05-31T05:00", "2026-05-31T07:00"]]],
  ["2026-05-31T10:00", "2026-05-31T10:00", []],
])("from %s until %s there are slots that cover it once", (start, end, slots) => {
  const time = (moment: Date) => moment.toISOString().slice(0, 16);
  const found = slotsOf(new Date(`${start}Z`), new Date(`${end}Z`));
  expect(found.map((period) => [period.minutes, time(period.start), time(period.end)])).toEqual(slots);
});

test("a date is one that there is, and a time zone one that has a name", () => {
  expect(["2028-02-29", "2026-02-29", "2026-06-31", "2026-13-01"].map(isDate)).toEqual([true, false, false, false]);
  const names = ["UTC", "Asia/Kolkata", "US/Pacific", "Mars/Olympus", "+05:30", "", "05:30"];
  expect(names.map(isTimeZone)).toEqual([true, true, true, false, false, false, false]);
});
