import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useSyncExternalStore } from "react";

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const units: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** After this, the date says more than the number of days. */
const maxRelativeSeconds = 14 * 86_400;

const justNowSeconds = 5;

/** "now", "3 minutes ago", "in 2 days"; the date if it is far from now. */
function describeDistance(at: Date, nowMs: number): string {
  const distance = Math.round((at.getTime() - nowMs) / 1_000);
  // The clocks of server and browser differ a little.
  const seconds = Math.abs(distance) < justNowSeconds ? 0 : distance;
  if (Math.abs(seconds) > maxRelativeSeconds) {
    return absolute.format(at);
  }
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

const tickMs = 10_000;
let tick = 0;
const listeners = new Set<() => void>();
setInterval(() => {
  tick += 1;
  for (const listener of listeners) {
    listener();
  }
}, tickMs);

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export interface TimeProps {
  readonly at: Timestamp | Date | undefined;
  /** "3 minutes ago" in place of the date. */
  readonly relative?: boolean;
  /** Shown where there is no time. Default: a dash. */
  readonly none?: string;
}

/** A time in the viewer's zone and language, with UTC in its title. */
export function Time({ at, relative = false, none = "–" }: TimeProps) {
  useSyncExternalStore(subscribe, () => tick);
  if (at === undefined) {
    return <span className="muted">{none}</span>;
  }
  const date = at instanceof Date ? at : timestampDate(at);
  const utc = date.toISOString();
  return (
    <time dateTime={utc} title={`${utc.replace("T", " ").replace(/\.\d+Z$/, "")} UTC`}>
      {relative ? describeDistance(date, Date.now()) : absolute.format(date)}
    </time>
  );
}
