import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { overloadMetrics } from "../../src/server/overload-metrics.ts";
import type { MetricsSnapshot } from "../../src/workers/messages.ts";
import { SummedMetrics } from "../../src/workers/summed-metrics.ts";

function snapshotOf(isActive: boolean, loop: number): Promise<MetricsSnapshot> {
  const registry = new Registry();
  overloadMetrics({ isActive, delaysMs: { loop, database: 2 * loop } }, registry);
  return registry.getMetricsAsJSON();
}

test("of several workers, the one that is worst off is shown", async () => {
  const snapshots = await Promise.all([snapshotOf(true, 1_000), snapshotOf(true, 3_000), snapshotOf(false, 2_000)]);
  const summed = new SummedMetrics((worker) => summed.received(worker, snapshots[worker] ?? []));
  const text = await summed.read([0, 1, 2]);
  expect(text).toContain("\nbyond_overloaded 1\n");
  expect(text).toContain("\nbyond_event_loop_delay_seconds 3\n");
  expect(text).toContain("\nbyond_database_wait_seconds 6\n");
});
