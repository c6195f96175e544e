import type { Awaitable } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { withinTime, withoutDeadline } from "../database/call-deadline.ts";
import { AppError } from "../errors.ts";
import { maxBatchLifeMs, maxReservations } from "./quota.policy.ts";
import type { Leftover, QuotaGrant, QuotaStore, QuotaSubject } from "./quota-store.ts";
import { DemandMeter, type Moment, momentOf, nextBatch, TokenBatch } from "./token-batch.ts";

/** Whether a request is admitted, and what the response says about the limit. */
export interface QuotaResult {
  readonly admitted: boolean;
  /** Requests in any 60 seconds. */
  readonly limit: number;
  /** Requests that would be admitted now. */
  readonly remaining: number;
  /** Whole seconds until all of the limit is free again, if nothing more is sent. */
  readonly resetSeconds: number;
  /** Of a refusal: whole seconds until there is room for a request; at least 1. */
  readonly retryAfterSeconds?: number;
}

/** A result that is released if another limit refuses the request. */
export interface Admission {
  readonly result: QuotaResult;
  release(): void;
}

interface Waiting {
  readonly resolve: (admission: Admission) => void;
  readonly reject: (error: unknown) => void;
}

/** What was decided since the server started. */
export interface QuotaCounts {
  admitted: number;
  refused: number;
  /** Reservations in the database. */
  reservations: number;
}

/**
 * One server's share of one subject's quota: a batch of tokens, what the last reservation said about the rest, and the requests
 * that wait for the next batch. It makes one reservation at a time.
 */
export class QuotaShare {
  readonly #store: QuotaStore;
  readonly #clock: Clock;
  readonly #subject: QuotaSubject;
  readonly #demand = new DemandMeter();
  readonly #waiting: Waiting[] = [];
  #batch: TokenBatch | undefined;
  #usage: Usage | undefined;
  /** Monotonic. The limit is reached until then: the database cannot have more tokens before. */
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  readonly #counts: QuotaCounts;

  constructor(store: QuotaStore, clock: Clock, subject: QuotaSubject, counts: QuotaCounts) {
    this.#counts = counts;
    this.#store = store;
    this.#clock = clock;
    this.#subject = subject;
  }

  get limitPerMinute(): number {
    return this.#subject.limitPerMinute;
  }

  /** Whether it was not used for ten seconds, so that it may be forgotten. */
  get isIdle(): boolean {
    return !this.#isAsking && this.#demand.lastTenSeconds(this.#clock.monotonicMs()) === 0;
  }

  /** Admits a request or refuses it. Throws `unavailable` where the database cannot tell. */
  admit(): Awaitable<Admission> {
    const now = momentOf(this.#clock);
    const admission = this.#isAsking ? undefined : this.#spend(now);
    if (admission !== undefined) {
      return admission;
    }
    if (now.monotonicMs < this.#refusedUntilMs) {
      return this.#refusal(now);
    }
    const waiting = Promise.withResolvers<Admission>();
    this.#waiting.push(waiting);
    if (!this.#isAsking) {
      // The reservation also serves requests that arrive meanwhile; each of them has a deadline of its own.
      void withoutDeadline(() => this.#serveWaiting());
    }
    return withinTime(waiting.promise).catch((error: unknown) => {
      this.#forget(waiting);
      throw error;
    });
  }

  #forget(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
    }
  }

  /** Never throws. `#isAsking` is cleared in the step that finds no request waiting, so that none is left waiting. */
  async #serveWaiting(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const asked = [...this.#waiting];
      const needed = asked.length;
      try {
        const grant = await this.#reserveBatch(needed);
        this.#answerWaiting(grant.tokens < needed);
      } catch (error) {
        for (const waiting of asked) {
          this.#forget(waiting);
          waiting.reject(error);
        }
      }
    }
    this.#isAsking = false;
  }

  #answerWaiting(isLimitReached: boolean): void {
    const now = momentOf(this.#clock);
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const admission = this.#spend(now) ?? (isLimitReached ? this.#refusal(now) : undefined);
      if (admission === undefined) {
        return;
      }
      this.#waiting.shift();
      next.resolve(admission);
    }
  }

  /** Reserves a new batch, and returns what is left of the old one to the database. */
  async #reserveBatch(needed: number): Promise<QuotaGrant> {
    let leftover = this.#putAwayBatch();
    for (let attempt = 1; attempt <= maxReservations; attempt += 1) {
      const sentAt = momentOf(this.#clock);
      const batch = nextBatch({
        limitPerMinute: this.limitPerMinute,
        used: this.#usage?.used,
        needed,
        lastSecond: this.#demand.lastSecond(sentAt.monotonicMs),
        lastTenSeconds: this.#demand.lastTenSeconds(sentAt.monotonicMs),
      });
      // If this fails, the leftover may not have been returned. It stops counting within a minute.
      this.#counts.reservations += 1;
      const grant = await this.#store.reserve({
        subject: this.#subject,
        needed,
        spare: batch.spare,
        lifeMs: attempt === 1 ? batch.lifeMs : maxBatchLifeMs,
        leftover,
      });
      this.#usage = describeUsage(grant.counts, this.limitPerMinute, sentAt.monotonicMs);
      this.#batch = new TokenBatch(grant, sentAt);
      if (grant.tokens < needed) {
        this.#refusedUntilMs = sentAt.monotonicMs + 1_000 - (grant.takenAtMs % 1_000);
      }
      if (grant.tokens === 0 || this.#batch.isValid(momentOf(this.#clock))) {
        return grant;
      }
      leftover = this.#putAwayBatch();
    }
    throw new AppError("unavailable", "The service is not available right now. Try again shortly.", {
      retryAfterSeconds: 1,
      cause: new Error("the database takes longer to count a request than the count is valid"),
    });
  }

  #putAwayBatch(): Leftover | undefined {
    const leftover = this.#batch?.leftover;
    this.#batch = undefined;
    return leftover;
  }

  #spend(now: Moment): Admission | undefined {
    const batch = this.#batch;
    if (batch === undefined || !batch.spend(now)) {
      return undefined;
    }
    this.#demand.note(now.monotonicMs);
    this.#counts.admitted += 1;
    return { result: { admitted: true, ...this.#standing(now) }, release: () => batch.release() };
  }

  #refusal(now: Moment): Admission {
    this.#counts.refused += 1;
    const freeAtMs = this.#usage?.freeAtMs ?? now.monotonicMs;
    const retryAfterSeconds = Math.max(1, Math.ceil((freeAtMs - now.monotonicMs) / 1_000));
    return { result: { admitted: false, ...this.#standing(now), retryAfterSeconds }, release: () => {} };
  }

  #standing(now: Moment): Pick<QuotaResult, "limit" | "remaining" | "resetSeconds"> {
    const { used, emptyAtMs } = this.#usage ?? { used: 0, emptyAtMs: now.monotonicMs };
    return {
      limit: this.limitPerMinute,
      remaining: Math.max(0, this.limitPerMinute - used) + (this.#batch?.tokens ?? 0),
      resetSeconds: Math.max(0, Math.ceil((emptyAtMs - now.monotonicMs) / 1_000)),
    };
  }
}

/** What all servers together were charged at one reservation. Times are of the server's monotonic clock. */
export interface Usage {
  readonly used: number;
  /** When there is room for one request. */
  readonly freeAtMs: number;
  /** When nothing is charged any more, if nothing more is sent. */
  readonly emptyAtMs: number;
}

/**
 * Reads the buckets that a reservation returned. What is in bucket `i` (counted from 1) stops counting `i` seconds after the
 * beginning of the reservation's second, so `i` seconds after the reservation at the latest.
 */
function describeUsage(counts: readonly number[], limitPerMinute: number, takenAtMs: number): Usage {
  const used = counts.reduce((sum, count) => sum + count, 0);
  const excess = used + 1 - limitPerMinute;
  let freed = 0;
  const freeingIndex = counts.findIndex((count) => {
    freed += count;
    return freed >= excess;
  });
  return {
    used,
    freeAtMs: excess <= 0 ? takenAtMs : takenAtMs + (freeingIndex + 1) * 1_000,
    emptyAtMs: takenAtMs + (counts.findLastIndex((count) => count > 0) + 1) * 1_000,
  };
}
