import { Counter, type Registry } from "prom-client";
import { readGauge } from "../observe/read-metrics.ts";
import type { Shedding } from "./load-shedder.ts";

/** What is known of overload, for `/metrics`. Returns the counter of calls that were refused. */
export function overloadMetrics(
  shedding: Pick<Shedding, "isActive" | "delaysMs">,
  metrics: Registry,
): { readonly refusedCalls: Counter<"route"> } {
  // Of several processes, the one that is worst off.
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.registerMetric(readGauge(name, "max", help, read));
  gauge("byond_overloaded", "Whether this server refuses calls because more come than it can serve.", () =>
    Number(shedding.isActive),
  );
  gauge(
    "byond_event_loop_delay_seconds",
    "How late the event loop was when it was measured last.",
    () => shedding.delaysMs.loop / 1_000,
  );
  gauge(
    "byond_database_wait_seconds",
    "How long calls waited for a connection to the database when it was measured last, at least.",
    () => shedding.delaysMs.database / 1_000,
  );
  const refusedCalls = new Counter({
    name: "byond_calls_shed_total",
    help: "Calls refused because of overload, by route. They are among the requests with status 503 (over gRPC: 200), too.",
    labelNames: ["route"],
    registers: [metrics],
  });
  return { refusedCalls };
}
