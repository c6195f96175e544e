import { Counter, Gauge, type Metric } from "prom-client";
import type { RevocationService } from "./revocation-service.ts";

/** What is known of leases, revocations and the credential cache, for `/metrics`. */
export function revocationMetrics({ metrics, acknowledgement }: RevocationService): Metric[] {
  /** `aggregator`: how the values of several processes become one. */
  const gauge = (name: string, aggregator: "min" | "max" | "average", help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      aggregator,
      registers: [],
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const cacheReads = new Counter({
    name: "byond_credential_cache_reads_total",
    help: "Credentials looked up, by where they were found.",
    labelNames: ["from"],
    registers: [],
    collect() {
      const { hits, misses, readsWithoutLease } = metrics().cache;
      this.reset();
      this.inc({ from: "cache" }, hits);
      this.inc({ from: "database" }, misses);
      this.inc({ from: "database_without_lease" }, readsWithoutLease);
    },
  });
  return [
    gauge("byond_lease_valid", "min", "Whether this server may answer from its credential cache.", () =>
      Number(metrics().leaseIsValid),
    ),
    gauge(
      "byond_disagreeing_servers",
      "max",
      "Other servers that do not know the master secret that this one writes with, or the other way round.",
      () => metrics().disagreeingServers,
    ),
    gauge(
      "byond_clock_offset_seconds",
      "average",
      "How far PostgreSQL's clock is ahead of this server's.",
      () => metrics().clockOffsetSeconds,
    ),
    counter("byond_lease_renewals_total", "Lease renewals that succeeded.", () => metrics().renewals),
    counter("byond_lease_renewals_failed_total", "Lease renewals that failed.", () => metrics().failedRenewals),
    counter(
      "byond_revocations_applied_total",
      "Revocations that this server has applied.",
      () => metrics().appliedRevocations,
    ),
    counter(
      "byond_revoked_calls_aborted_total",
      "Calls aborted because their credential was revoked.",
      () => metrics().abortedCalls,
    ),
    counter(
      "byond_revocation_servers_unheard_total",
      "Servers whose lease had to run out.",
      () => metrics().unheardServers,
    ),
    acknowledgement,
    cacheReads,
  ];
}
