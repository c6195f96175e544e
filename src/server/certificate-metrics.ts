import { X509Certificate } from "node:crypto";
import { Gauge, type Metric } from "prom-client";
import type { CertificateSource } from "./certificate-source.ts";

/** When the certificate of the port expires, for `/metrics`. Without TLS the metric has no series: nothing expires at 0. */
export function certificateMetrics(source: CertificateSource | undefined): Metric[] {
  let seconds: number | undefined;
  source?.follow(({ cert }) => {
    seconds = new X509Certificate(cert).validToDate.getTime() / 1_000;
  });
  return [
    new Gauge({
      name: "byond_certificate_expiry_timestamp_seconds",
      help: "When the certificate of the port expires, in seconds since 1970.",
      aggregator: "min",
      registers: [],
      collect() {
        if (seconds === undefined) {
          this.remove();
        } else {
          this.set(seconds);
        }
      },
    }),
  ];
}
