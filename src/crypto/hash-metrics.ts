import type { Metric } from "prom-client";
import { readCounter, readGauge } from "../observe/read-metrics.ts";
import type { Hasher } from "./argon2-hasher.ts";

/** What is known of the queue of a hasher (argon2), for `/metrics`. `what`: is hashed, in the names of the metrics. */
export function hashMetrics(what: "password" | "key", { queue }: Pick<Hasher, "queue">): Metric[] {
  return [
    readGauge(
      `byond_${what}_hashes_waiting`,
      "sum",
      "Hashes that wait for a thread: more than there are places for are refused as `unavailable`.",
      () => queue.waiting,
    ),
    readGauge(`byond_${what}_hashes_running`, "sum", "Hashes that are being computed.", () => queue.running),
    readCounter(`byond_${what}_hashes_total`, "Hashes that were computed.", () => queue.finished),
    readCounter(
      `byond_${what}_hashes_refused_total`,
      "Hashes that were refused: too many waited, or they waited for too long.",
      () => queue.refused,
    ),
  ];
}
