import { readdir, readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { Gauge, type Metric } from "prom-client";
import { readCounter, readGauge } from "./read-metrics.ts";

/**
 * What Prometheus expects of every process, by its names, and how busy Node is. prom-client's own default metrics observe the whole process for good (garbage
 * collections, a timer of the event loop), once for each register.
 */
export function processMetrics(version: string): Metric[] {
  const startedAtSeconds = performance.timeOrigin / 1_000;
  return [
    readCounter("process_cpu_seconds_total", "Time that processors spent on this process.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    readGauge("process_resident_memory_bytes", "sum", "Memory that the process has in use.", () =>
      process.memoryUsage.rss(),
    ),
    readGauge(
      "process_start_time_seconds",
      "min",
      "When the process started, in seconds since 1970.",
      () => startedAtSeconds,
    ),
    readGauge("byond_processes", "sum", "Processes that serve: see `WORKERS`.", () => 1),
    descriptors(
      "process_open_fds",
      "Open file descriptors, connections included.",
      async () => (await readdir("/proc/self/fd")).length,
    ),
    descriptors("process_max_fds", "File descriptors that may be open.", async () =>
      Number(/^Max open files +(\d+)/m.exec(await readFile("/proc/self/limits", "utf8"))?.[1]),
    ),
    readGauge(
      "nodejs_heap_size_used_bytes",
      "sum",
      "Memory of V8's heap in use, garbage included.",
      () => process.memoryUsage().heapUsed,
    ),
    readCounter(
      "byond_event_loop_busy_seconds_total",
      "Time in which the event loop had something to do. A rate of 1 is a whole core.",
      () => performance.eventLoopUtilization().active / 1_000,
    ),
    buildInfo(version),
  ];
}

function buildInfo(version: string): Metric {
  const metric = new Gauge({
    name: "byond_build_info",
    help: "1, with the version of Byond and of Node.js.",
    labelNames: ["version", "node"],
    aggregator: "first",
    registers: [],
  });
  metric.set({ version, node: process.versions.node }, 1);
  return metric;
}

/** Has no value where the system does not tell. */
function descriptors(name: string, help: string, read: () => Promise<number>): Metric {
  return new Gauge({
    name,
    help,
    aggregator: "sum",
    registers: [],
    async collect() {
      const value = await read().catch(() => Number.NaN);
      if (Number.isNaN(value)) {
        this.remove();
      } else {
        this.set(value);
      }
    },
  });
}
