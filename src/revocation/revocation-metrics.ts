import type { Metric } from "prom-client";
import { readCounter, readCounters, readGauge } from "../observe/read-metrics.ts";
import type { RevocationService } from "./revocation-service.ts";

/** What is known of leases, revocations and the credential cache, for `/metrics`. */
export function revocationMetrics({ metrics, acknowledgement }: RevocationService): Metric[] {
  const cacheReads = readCounters(
    "byond_credential_cache_reads_total",
    "Credentials looked up, by where they were found.",
    ["from"],
    () => {
      const { hits, misses, readsWithoutLease } = metrics().cache;
      return [
        [{ from: "cache" }, hits],
        [{ from: "database" }, misses],
        [{ from: "database_without_lease" }, readsWithoutLease],
      ];
    },
  );
  return [
    readGauge("byond_lease_valid", "min", "Whether this server may answer from its credential cache.", () =>
      Number(metrics().leaseIsValid),
    ),
    readGauge(
      "byond_disagreeing_servers",
      "max",
      "Other servers that do not know the master secret that this one writes with, or the other way round.",
      () => metrics().disagreeingServers,
    ),
    readGauge(
      "byond_clock_offset_seconds",
      "average",
      "How far PostgreSQL's clock is ahead of this server's.",
      () => metrics().clockOffsetSeconds,
    ),
    readCounter("byond_lease_renewals_total", "Lease renewals that succeeded.", () => metrics().renewals),
    readCounter("byond_lease_renewals_failed_total", "Lease renewals that failed.", () => metrics().failedRenewals),
    readCounter(
      "byond_revocations_applied_total",
      "Revocations that this server has applied.",
      () => metrics().appliedRevocations,
    ),
    readCounter(
      "byond_revoked_calls_aborted_total",
      "Calls aborted because their credential was revoked.",
      () => metrics().abortedCalls,
    ),
    readCounter(
      "byond_revocation_servers_unheard_total",
      "Servers whose lease had to run out.",
      () => metrics().unheardServers,
    ),
    acknowledgement,
    cacheReads,
  ];
}
