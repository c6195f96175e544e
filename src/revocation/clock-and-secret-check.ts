import type { Logger } from "../observe/log.ts";
import type { RenewalReport } from "./revocation-store.ts";

/**
 * How far a server's clock may be from PostgreSQL's before it says so. What goes by the server's clock: the five minutes of a
 * signature and the fifteen of an access token are shorter or longer by as much, and messages name wrong minutes.
 */
const clockToleranceMs = 5_000;

/** From there on signatures of right clients are refused, and access tokens of other servers are soon: no server starts. */
export const maxClockOffsetMs = 300_000;

/** How far a clock is ahead of ours, at least, if it was read between two moments of ours. Negative: behind. */
export function clockOffsetMs(theirMs: number, sentAtMs: number, receivedAtMs: number): number {
  return theirMs > receivedAtMs ? theirMs - receivedAtMs : Math.min(0, theirMs - sentAtMs);
}

/** What this server sees of the others and of the database's clock, with each renewal of its lease. Says it when that changes. */
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
      this.#logger[isClockOff ? "warn" : "info"](
        isClockOff ? "the clocks of this server and of PostgreSQL differ" : "the clocks agree again",
        fields,
      );
    }
  }

  #observeServers(disagreeing: readonly string[]): void {
    const appeared = disagreeing.filter((id) => !this.#disagreeing.includes(id));
    if (appeared.length > 0) {
      this.#logger.error("servers disagree about BYOND_SECRET: one of two writes what the other cannot read", {
        servers: appeared,
      });
    } else if (disagreeing.length === 0 && this.#disagreeing.length > 0) {
      this.#logger.info("servers agree about BYOND_SECRET again");
    }
    this.#disagreeing = disagreeing;
  }
}
