import { Counter, Registry } from "prom-client";
import { expect, test } from "vitest";
import { SummedMetrics } from "../../src/workers/summed-metrics.ts";

test("what a killed worker had said arrives after its end: it is counted once", async () => {
  const registry = new Registry();
  const calls = new Counter({ name: "calls_total", help: "Calls.", registers: [registry] });
  calls.inc(5);
  const said = await registry.getMetricsAsJSON();
  const summed: SummedMetrics = new SummedMetrics((workerId) => summed.received(workerId, said));
  expect(await summed.read([1, 2])).toContain("\ncalls_total 10\n");
  summed.ended(1);
  summed.received(1, said);
  expect(await summed.read([2])).toContain("\ncalls_total 10\n");
});
