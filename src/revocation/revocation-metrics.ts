import type { Metric } from "../observe/metrics.ts";
import type { RevocationMetrics } from "./revocation-service.ts";

/** What is known of leases, revocations and the credential cache, for `/metrics`. */
export function revocationMetrics(snapshot: RevocationMetrics): Metric[] {
  const single = (type: Metric["type"]) => (name: string, help: string, value: number) =>
    ({ name, help, type, samples: [{ value }] }) satisfies Metric;
  const counter = single("counter");
  const gauge = single("gauge");
  const { acknowledgement, cache } = snapshot;
  return [
    gauge("lease_valid", "Whether this server may answer from its credential cache.", snapshot.leaseIsValid ? 1 : 0),
    gauge(
      "disagreeing_servers",
      "Other servers that do not know the master secret that this one writes with, or the other way round.",
      snapshot.disagreeingServers,
    ),
    gauge("clock_offset_seconds", "How far PostgreSQL's clock is ahead of this server's.", snapshot.clockOffsetSeconds),
    counter("lease_renewals_total", "Lease renewals that succeeded.", snapshot.renewals),
    counter("lease_renewals_failed_total", "Lease renewals that failed.", snapshot.failedRenewals),
    counter("revocations_applied_total", "Revocations that this server has applied.", snapshot.appliedRevocations),
    counter(
      "revoked_calls_aborted_total",
      "Calls aborted because their credential was revoked.",
      snapshot.abortedCalls,
    ),
    counter("revocation_servers_unheard_total", "Servers whose lease had to run out.", snapshot.unheardServers),
    {
      name: "revocation_acknowledgement_seconds",
      help: "From the commit of a revocation until no server could accept the credential.",
      type: "histogram",
      samples: [
        ...acknowledgement.buckets.map(({ atMostMs, count }) => ({
          suffix: "_bucket",
          labels: { le: atMostMs === Number.POSITIVE_INFINITY ? "+Inf" : String(atMostMs / 1000) },
          value: count,
        })),
        { suffix: "_sum", value: acknowledgement.sumMs / 1000 },
        { suffix: "_count", value: acknowledgement.count },
      ],
    },
    {
      name: "credential_cache_reads_total",
      help: "Credentials looked up, by where they were found.",
      type: "counter",
      samples: [
        { labels: { from: "cache" }, value: cache.hits },
        { labels: { from: "database" }, value: cache.misses },
        { labels: { from: "database_without_lease" }, value: cache.readsWithoutLease },
      ],
    },
  ];
}
