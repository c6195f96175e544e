import type { Clock } from "../clock.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { BoundedMap } from "../revocation/bounded-map.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";

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

/** Some 2 MB of each kind. Whoever has more sources, or sessions, than that is not held up by a limit of each. */
const maxBuckets = 10_000;

/** Nobody's doing but ours. */
const ownFaults: ReadonlySet<ErrorCode> = new Set(["unavailable", "outcome_unknown", "internal"]);

/**
 * Counts calls without a credential that come to nothing: wrong passwords, codes that are wrong, whatever another limit refuses, by
 * source; and spent tokens, by the session that they are of. Each of them costs a few statements, so those limits, which the
 * database keeps, do not bound what a stranger can make a server do. This one does: beyond it, a call is refused before anything is
 * done for it. It is each server's own, in memory, and not there to keep anything from being guessed.
 */
export class FruitlessCalls {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sources = new BoundedMap<string, FruitlessBucket>(maxBuckets);
  readonly #sessions = new BoundedMap<string, FruitlessBucket>(maxBuckets);

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Runs a call of a source. Throws `rate_limited` if too many of its calls came to nothing. */
  async runFrom<T>(
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFruitless: (result: T) => boolean = () => false,
  ): Promise<T> {
    return run(this.#bucket(this.#sources, limitKeyOf(clientAddress), sourceLimit), call, isFruitless);
  }

  /**
   * Runs a call with a genuine token of a session, wherever it comes from: whoever shares an address with strangers is not held up
   * by what they do.
   */
  async runOfSession<T>(
    { sessionId }: { readonly sessionId: string },
    call: () => Promise<T>,
    isFruitless: (result: T) => boolean = () => false,
  ): Promise<T> {
    return run(this.#bucket(this.#sessions, sessionId, sessionLimit), call, isFruitless);
  }

  #bucket(buckets: BoundedMap<string, FruitlessBucket>, key: string, limit: Limit): FruitlessBucket {
    const bucket = buckets.get(key) ?? new FruitlessBucket(limit, this.#clock);
    buckets.set(key, bucket);
    return bucket;
  }
}

async function run<T>(
  bucket: FruitlessBucket,
  call: () => Promise<T>,
  isFruitless: (result: T) => boolean,
): Promise<T> {
  await bucket.enter();
  let wasFruitless = false;
  try {
    const result = await call();
    wasFruitless = isFruitless(result);
    return result;
  } catch (error) {
    wasFruitless = error instanceof AppError && !ownFaults.has(error.code);
    throw error;
  } finally {
    bucket.leave(wasFruitless);
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

  /** Throws `rate_limited` if there is no token left. */
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
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
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
