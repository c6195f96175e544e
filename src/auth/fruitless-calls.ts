import type { Clock } from "../clock.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { BoundedMap } from "../revocation/bounded-map.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";

/** Two hundred at once, then two a second. */
const burst = 200;
const periodMs = 500;

/** Some 2 MB. Whoever has more sources than that is not held up by a limit of each. */
const maxSources = 10_000;

/** Nobody's doing but ours. */
const ownFaults: ReadonlySet<ErrorCode> = new Set(["unavailable", "outcome_unknown", "internal"]);

/**
 * Counts, by source, calls without a credential that come to nothing: wrong passwords, spent tokens, sessions that have ended,
 * codes that are wrong, whatever another limit refuses. Each of them costs a few statements, so those limits, which the
 * database keeps, do not bound what a stranger can make a server do. This one does: beyond it, a call is refused before anything is
 * done for it. It is each server's own, in memory, and not there to keep anything from being guessed.
 */
export class FruitlessCalls {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** GCRA: the theoretical arrival time of each source's next token. */
  readonly #sources = new BoundedMap<string, { tatMs: number }>(maxSources);

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /**
   * Runs a call, which costs a token until it has come to something: however many run at once, none does without. Throws
   * `rate_limited` if the source has none left.
   */
  async run<T>(
    { clientAddress }: { readonly clientAddress: string | undefined },
    call: () => Promise<T>,
    isFruitless: (result: T) => boolean = () => false,
  ): Promise<T> {
    const putBack = this.#take(limitKeyOf(clientAddress));
    try {
      const result = await call();
      if (!isFruitless(result)) {
        putBack();
      }
      return result;
    } catch (error) {
      if (!(error instanceof AppError) || ownFaults.has(error.code)) {
        putBack();
      }
      throw error;
    }
  }

  #take(source: string): () => void {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#sources.get(source) ?? { tatMs: nowMs };
    const waitMs = bucket.tatMs - (burst - 1) * periodMs - nowMs;
    if (waitMs > 0) {
      const retryAfterSeconds = Math.ceil(waitMs / 1_000);
      throw new AppError("rate_limited", "Too many calls from this address came to nothing. Try again later.", {
        retryAfterSeconds,
      });
    }
    bucket.tatMs = Math.max(bucket.tatMs, nowMs) + periodMs;
    this.#sources.set(source, bucket);
    return () => {
      bucket.tatMs -= periodMs;
    };
  }
}
