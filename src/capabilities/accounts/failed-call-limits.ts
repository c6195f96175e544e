import type { Clock } from "../../clock.ts";
import { withinTime } from "../../database/call-deadline.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import { LruMap } from "../../lru-map.ts";
import { limitKeyOf } from "../../server/client-address.ts";

interface Limit {
  readonly burst: number;
  readonly periodMs: number;
  readonly message: string;
}

const sourceLimit: Limit = {
  burst: 200,
  periodMs: 500,
  message: "Too many failed calls from this IP address. Try again later.",
};

const sessionLimit: Limit = {
  burst: 20,
  periodMs: 10_000,
  message: "Too many failed calls with tokens of this session. Try again later.",
};

/** Wide, since everybody who signs in from an address shares it: it bounds those who collect sessions that have ended. */
const sourceOfSessionsLimit: Limit = {
  burst: 2_000,
  periodMs: 50,
  message: "Too many calls from this IP address with tokens of sessions that have ended. Try again later.",
};

/** About 2 MB for each map. Beyond it the oldest buckets are dropped, so who has more sources or sessions escapes that limit. */
const maxBuckets = 10_000;

/** The server's faults, which count against no caller. */
const serverFaults: ReadonlySet<ErrorCode> = new Set(["unavailable", "outcome_unknown", "internal"]);

/**
 * Limits failed calls without a credential: by source for sign-up, sign-in and resets (wrong passwords, wrong codes, refusals
 * of other limits), by session and more widely by source for used refresh tokens. A failed call costs a few statements, which
 * the limits in the database do not bound. This one refuses a call before any work is done. Each server counts for itself, in
 * memory; what keeps secrets from being guessed are the limits in the database.
 */
export class FailedCallLimits {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sources = new LruMap<string, FailureBucket>(maxBuckets);
  readonly #sourcesOfSessions = new LruMap<string, FailureBucket>(maxBuckets);
  readonly #sessions = new LruMap<string, FailureBucket>(maxBuckets);

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Runs a call of a source. Throws `rate_limited` after too many failed ones. */
  async runFrom<T>(
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFailure: (result: T) => boolean = () => false,
  ): Promise<T> {
    return run([this.#bucket(this.#sources, limitKeyOf(clientAddress), sourceLimit)], call, isFailure);
  }

  /**
   * Runs a call with a genuine token of a session. Its source is counted apart from wrong passwords and forged tokens, so that
   * people who share an address with an attacker can refresh their sessions. Throws `rate_limited` after too many failed ones.
   */
  async runOfSession<T>(
    { sessionId }: { readonly sessionId: string },
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFailure: (result: T) => boolean = () => false,
  ): Promise<T> {
    const ofSource = this.#bucket(this.#sourcesOfSessions, limitKeyOf(clientAddress), sourceOfSessionsLimit);
    return run([this.#bucket(this.#sessions, sessionId, sessionLimit), ofSource], call, isFailure);
  }

  #bucket(buckets: LruMap<string, FailureBucket>, key: string, limit: Limit): FailureBucket {
    const bucket = buckets.get(key) ?? new FailureBucket(limit, this.#clock);
    buckets.set(key, bucket);
    return bucket;
  }
}

async function run<T>(
  buckets: readonly FailureBucket[],
  call: () => Promise<T>,
  isFailure: (result: T) => boolean,
): Promise<T> {
  const entered: FailureBucket[] = [];
  let hasFailed = false;
  try {
    for (const bucket of buckets) {
      await bucket.enter();
      entered.push(bucket);
    }
    const result = await call();
    hasFailed = isFailure(result);
    return result;
  } catch (error) {
    hasFailed = entered.length === buckets.length && error instanceof AppError && !serverFaults.has(error.code);
    throw error;
  } finally {
    for (const bucket of entered) {
      bucket.leave(hasFailed);
    }
  }
}

/**
 * A token bucket from which failed calls take. There are never more calls under way than tokens, so that the count is exact;
 * further calls wait for those, and are refused only when the tokens are really used up.
 */
class FailureBucket {
  readonly #limit: Limit;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** GCRA: the theoretical arrival time of the next token. */
  #tatMs: number;
  #underWay = 0;
  /** While a call waits, another one is under way or was just woken. */
  readonly #waiting = new Set<() => void>();

  constructor(limit: Limit, clock: Pick<Clock, "monotonicMs">) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tatMs = clock.monotonicMs();
  }

  /** Throws `rate_limited` if there is no token left, and `unavailable` if the call's deadline passes before that is known. */
  async enter(): Promise<void> {
    const { burst, periodMs, message } = this.#limit;
    for (;;) {
      const nowMs = this.#clock.monotonicMs();
      const spentMs = Math.max(0, this.#tatMs - nowMs);
      const waitMs = spentMs - (burst - 1) * periodMs;
      if (waitMs > 0) {
        this.#wakeNext();
        throw new AppError("rate_limited", message, { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
      }
      if (waitMs + this.#underWay * periodMs <= 0) {
        this.#underWay += 1;
        return;
      }
      await this.#wait();
    }
  }

  async #wait(): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#waiting.add(woken.resolve);
    try {
      await withinTime(woken.promise);
    } catch (error) {
      if (!this.#waiting.delete(woken.resolve)) {
        // Woken after the deadline: the next one can use the place.
        this.#wakeNext();
      }
      throw error;
    }
  }

  leave(hasFailed: boolean): void {
    this.#underWay -= 1;
    if (hasFailed) {
      this.#tatMs = Math.max(this.#tatMs, this.#clock.monotonicMs()) + this.#limit.periodMs;
    }
    this.#wakeNext();
  }

  #wakeNext(): void {
    for (const wake of this.#waiting) {
      this.#waiting.delete(wake);
      wake();
      return;
    }
  }
}
