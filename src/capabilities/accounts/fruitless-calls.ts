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
  message: "Too many calls from this address came to nothing. Try again later.",
};

const sessionLimit: Limit = {
  burst: 20,
  periodMs: 10_000,
  message: "Too many calls with tokens of this session came to nothing. Try again later.",
};

/** Wide, since it is shared by all who sign in from an address: it bounds whoever collects sessions that have ended. */
const sourceOfSessionsLimit: Limit = {
  burst: 2_000,
  periodMs: 50,
  message: "Too many calls from this address with tokens of sessions that have ended. Try again later.",
};

/** Some 2 MB of each kind. Whoever has more sources, or sessions, than that is not held up by a limit of each. */
const maxBuckets = 10_000;

/** Nobody's doing but ours. */
const ownFaults: ReadonlySet<ErrorCode> = new Set(["unavailable", "outcome_unknown", "internal"]);

/**
 * Counts calls without a credential that come to nothing: wrong passwords, codes that are wrong, whatever another limit refuses, by
 * source; and spent tokens, by the session that they are of, and more widely by source. Each of them costs a few statements, so those limits, which the
 * database keeps, do not bound what a stranger can make a server do. This one does: beyond it, a call is refused before anything is
 * done for it. It is each server's own, in memory, and not there to keep anything from being guessed.
 */
export class FruitlessCalls {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sources = new LruMap<string, FruitlessBucket>(maxBuckets);
  readonly #sourcesOfSessions = new LruMap<string, FruitlessBucket>(maxBuckets);
  readonly #sessions = new LruMap<string, FruitlessBucket>(maxBuckets);

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Runs a call of a source. Throws `rate_limited` if too many of its calls came to nothing. */
  async runFrom<T>(
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFruitless: (result: T) => boolean = () => false,
  ): Promise<T> {
    return run([this.#bucket(this.#sources, limitKeyOf(clientAddress), sourceLimit)], call, isFruitless);
  }

  /**
   * Runs a call with a genuine token of a session: whoever shares an address with strangers is not held up by wrong passwords and
   * made-up tokens.
   */
  async runOfSession<T>(
    { sessionId }: { readonly sessionId: string },
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFruitless: (result: T) => boolean = () => false,
  ): Promise<T> {
    const ofSource = this.#bucket(this.#sourcesOfSessions, limitKeyOf(clientAddress), sourceOfSessionsLimit);
    return run([this.#bucket(this.#sessions, sessionId, sessionLimit), ofSource], call, isFruitless);
  }

  #bucket(buckets: LruMap<string, FruitlessBucket>, key: string, limit: Limit): FruitlessBucket {
    const bucket = buckets.get(key) ?? new FruitlessBucket(limit, this.#clock);
    buckets.set(key, bucket);
    return bucket;
  }
}

async function run<T>(
  buckets: readonly FruitlessBucket[],
  call: () => Promise<T>,
  isFruitless: (result: T) => boolean,
): Promise<T> {
  const entered: FruitlessBucket[] = [];
  let wasFruitless = false;
  try {
    for (const bucket of buckets) {
      await bucket.enter();
      entered.push(bucket);
    }
    const result = await call();
    wasFruitless = isFruitless(result);
    return result;
  } catch (error) {
    wasFruitless = entered.length === buckets.length && error instanceof AppError && !ownFaults.has(error.code);
    throw error;
  } finally {
    for (const bucket of entered) {
      bucket.leave(wasFruitless);
    }
  }
}

/**
 * Tokens that calls cost which came to nothing. Of those under way, there are never more than tokens, so that the count is exact; the
 * others wait for them, and are refused only when the tokens are really spent.
 */
class FruitlessBucket {
  readonly #limit: Limit;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** GCRA: the theoretical arrival time of the next token. */
  #tatMs: number;
  #underWay = 0;
  /** Somebody is under way, or has just been woken, as long as somebody waits. */
  readonly #waiting = new Set<() => void>();

  constructor(limit: Limit, clock: Pick<Clock, "monotonicMs">) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tatMs = clock.monotonicMs();
  }

  /** Throws `rate_limited` if there is no token left, and `unavailable` if the call's time is over before it can tell. */
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
        // Woken too late to use it.
        this.#wakeNext();
      }
      throw error;
    }
  }

  leave(wasFruitless: boolean): void {
    this.#underWay -= 1;
    if (wasFruitless) {
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
