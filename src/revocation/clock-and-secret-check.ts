import type { Logger } from "../observe/log.ts";
import { clockOffsetMs } from "./clock-offset.ts";
import { clockToleranceMs } from "./revocation.policy.ts";
import type { RenewalReport } from "./revocation-store.ts";

/**
 * Compares, with each renewal of the lease, this server's clock with PostgreSQL's and its master secrets with those of the other
 * servers. Logs when a difference appears or disappears.
 */
export class ClockAndSecretCheck {
  readonly #logger: Logger;
  #disagreeing: readonly string[] = [];
  #clockOffsetMs = 0;
  #isClockOff = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get disagreeingServers(): number {
    return this.#disagreeing.length;
  }

  get clockOffsetSeconds(): number {
    return this.#clockOffsetMs / 1_000;
  }

  observe({ disagreeing, databaseClockMs }: RenewalReport, sentAtMs: number, receivedAtMs: number): void {
    this.#observeServers(disagreeing);
    this.#clockOffsetMs = clockOffsetMs(databaseClockMs, sentAtMs, receivedAtMs);
    const isClockOff = Math.abs(this.#clockOffsetMs) > clockToleranceMs;
    if (isClockOff !== this.#isClockOff) {
      this.#isClockOff = isClockOff;
      const fields = { database_ahead_seconds: Math.round(this.#clockOffsetMs / 1_000) };
      if (isClockOff) {
        this.#logger.warn("clock_differs", fields);
      } else {
        this.#logger.info("clock_agrees", fields);
      }
    }
  }

  #observeServers(disagreeing: readonly string[]): void {
    const appeared = disagreeing.filter((id) => !this.#disagreeing.includes(id));
    if (appeared.length > 0) {
      this.#logger.error("secrets_differ", {
        servers: appeared,
      });
    } else if (disagreeing.length === 0 && this.#disagreeing.length > 0) {
      this.#logger.info("secrets_agree");
    }
    this.#disagreeing = disagreeing;
  }
}
