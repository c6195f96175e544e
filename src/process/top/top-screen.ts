import type { Sample } from "./metric-samples.ts";

/** The metrics of all servers at one moment. */
export interface Reading {
  readonly samples: readonly Sample[];
  /** By a clock that only goes forward. */
  readonly atMs: number;
}

interface Row {
  readonly cells: readonly string[];
  readonly perSecond: number;
  readonly total: number;
}

const maxRows = 12;

/** What happened between two readings, and since the servers started. */
export function topScreen(before: Reading, now: Reading): string {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000);
  const counted = (name: string, labels: readonly string[], keep: (labels: Sample["labels"]) => boolean = () => true) =>
    countersOf(before, now, { name, labels, keep, seconds });
  const has = (name: string) => now.samples.some((sample) => sample.name === name);
  const calls = counted(answered, ["route", "status"]);
  const took = counted("byond_http_request_duration_seconds_sum", ["route", "status"]);
  const timed = calls.map((row, index): Row => {
    const { perSecond = 0, total = 0 } = took[index] ?? {};
    const meanMs = row.perSecond > 0 ? perSecond / row.perSecond : total / Math.max(1, row.total);
    return { ...row, cells: [...row.cells, `${(meanMs * 1_000).toFixed(1)} ms`] };
  });
  return [
    ...gaugeLines(now),
    ...table("calls", ["route", "status", "took"], timed),
    // An earlier version does not count errors by their code.
    ...(has(errors)
      ? table("refusals", ["code"], counted(errors, ["code"]))
      : table("refusals", ["status"], counted(answered, ["status"], isRefusal))),
    ...sections
      .filter(({ name }) => has(name))
      .flatMap(({ title, name, labels }) => table(title, labels, counted(name, labels))),
    ...queues(now),
  ].join("\n");
}

const answered = "byond_http_request_duration_seconds_count";
const errors = "byond_errors_total";
const isRefusal = ({ status = "" }: Sample["labels"]) => /^[45]/.test(status);

/** Shown once there is something to show: a counter with labels may have no values before. */
const sections = [
  { title: "refused by overload", name: "byond_calls_shed_total", labels: ["route"] },
  { title: "deliveries", name: "byond_delivery_duration_seconds_count", labels: ["channel", "provider", "outcome"] },
] as const;

interface CounterOptions {
  readonly name: string;
  readonly labels: readonly string[];
  readonly keep: (labels: Sample["labels"]) => boolean;
  readonly seconds: number;
}

/** The counters of one name, added up by these labels: those of all servers, and of all other labels. */
function countersOf(before: Reading, now: Reading, { name, labels, keep, seconds }: CounterOptions): Row[] {
  const sums = (reading: Reading) => {
    const byKey = new Map<string, number>();
    for (const sample of reading.samples.filter((each) => each.name === name && keep(each.labels))) {
      const key = JSON.stringify(labels.map((label) => sample.labels[label] ?? ""));
      byKey.set(key, (byKey.get(key) ?? 0) + sample.value);
    }
    return byKey;
  };
  const earlier = sums(before);
  return [...sums(now)].map(([key, total]) => {
    const grown = total - (earlier.get(key) ?? 0);
    // Less than before: a server was started again, and counts from 0.
    return { cells: JSON.parse(key), total, perSecond: (grown < 0 ? total : grown) / seconds };
  });
}

function table(title: string, labels: readonly string[], rows: readonly Row[]): string[] {
  const happened = rows
    .filter(({ total }) => total > 0)
    .toSorted((one, other) => other.perSecond - one.perSecond || other.total - one.total);
  if (happened.length === 0) {
    return ["", `${title}: none`];
  }
  const shown = happened.slice(0, maxRows);
  const cells = [
    ["/s", "total", ...labels],
    ...shown.map(({ cells, perSecond, total }) => [perSecond.toFixed(1), String(total), ...cells]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length))) ?? [];
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const left = happened.length - shown.length;
  return ["", title, ...lines, ...(left > 0 ? [`and ${left} more`] : [])];
}

function gaugeLines({ samples }: Reading): string[] {
  const worst = (name: string) =>
    Math.max(0, ...samples.filter((each) => each.name === name).map(({ value }) => value));
  const ms = (seconds: number) => `${(seconds * 1_000).toFixed(0)} ms`;
  const state = worst("byond_overloaded") > 0 ? "overloaded" : "not overloaded";
  return [
    `${state}; event loop late by ${ms(worst("byond_event_loop_delay_seconds"))}, wait for the database ${ms(worst("byond_database_wait_seconds"))}`,
  ];
}

/** Servers look at the same queues: the largest value counts. */
function queues({ samples }: Reading): string[] {
  const largest = (name: string) => {
    const byChannel = new Map<string, number>();
    for (const { labels, value } of samples.filter((each) => each.name === name)) {
      const channel = labels.channel ?? "";
      byChannel.set(channel, Math.max(byChannel.get(channel) ?? 0, value));
    }
    return byChannel;
  };
  const counts = largest("byond_outbox_messages");
  const ages = largest("byond_outbox_oldest_message_age_seconds");
  const waiting = [...counts].filter(([, count]) => count > 0);
  if (waiting.length === 0) {
    return counts.size === 0 ? [] : ["", "waiting messages: none"];
  }
  return [
    "",
    "waiting messages",
    ...waiting.map(
      ([channel, count]) => `${count}  ${channel}, the oldest for ${(ages.get(channel) ?? 0).toFixed(0)} s`,
    ),
  ];
}
