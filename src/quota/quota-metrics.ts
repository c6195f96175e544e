import type { Metric } from "prom-client";
import { readCounter, readCounters } from "../observe/read-metrics.ts";
import type { Quota } from "./quota.ts";

/** What is known of limits a minute, for `/metrics`. */
export function quotaMetrics({ counts }: Pick<Quota, "counts">): Metric[] {
  return [
    readCounters(
      "byond_quota_decisions_total",
      "Requests counted against limits a minute, by result. One with several limits counts for each.",
      ["result"],
      () => [
        [{ result: "admitted" }, counts.admitted],
        [{ result: "refused" }, counts.refused],
      ],
    ),
    readCounter(
      "byond_quota_reservations_total",
      "Batches of requests that were reserved in PostgreSQL.",
      () => counts.reservations,
    ),
  ];
}
