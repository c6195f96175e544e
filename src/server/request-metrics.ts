import { Counter, Histogram, type Metric } from "prom-client";
import { errorKinds } from "../errors.ts";
import { readGauge } from "../observe/read-metrics.ts";

/** What is counted of requests, for `/metrics`. Routes are templates and codes those of the API: their number is bounded. */
export class RequestMetrics {
  readonly #duration = new Histogram({
    name: "byond_http_request_duration_seconds",
    help: "Requests answered, by how long it took, by route and HTTP status.",
    labelNames: ["route", "status"],
    registers: [],
  });
  readonly #errors = new Counter({
    name: "byond_errors_total",
    help: "Requests that ended with an error of the API, by its code, on every protocol.",
    labelNames: ["code"],
    registers: [],
  });
  #inFlight = 0;
  readonly metrics: readonly Metric[] = [
    this.#duration,
    this.#errors,
    readGauge(
      "byond_http_requests_in_flight",
      "sum",
      "Requests that are being answered, open streams included.",
      () => this.#inFlight,
    ),
  ];

  constructor() {
    // A rate sees the first one, too.
    for (const code of Object.keys(errorKinds)) {
      this.#errors.inc({ code }, 0);
    }
  }

  began(): void {
    this.#inFlight += 1;
  }

  ended(route: string, status: number, seconds: number, errorCode: string | undefined): void {
    this.#inFlight -= 1;
    this.refused(route, status, seconds, errorCode);
  }

  /** A request ended that had not begun. */
  refused(route: string, status: number, seconds: number, errorCode: string | undefined): void {
    this.#duration.observe({ route, status }, seconds);
    if (errorCode !== undefined) {
      this.#errors.inc({ code: errorCode });
    }
  }
}
