import argon2 from "argon2";
import { AppError } from "./errors.ts";

/** Cost of a hash. Stored with it, so that a change takes effect for new hashes and old ones still verify. */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/** OWASP's parameters for passwords (Password Storage Cheat Sheet, argon2id): some 30 ms. */
export const passwordCost: HashCost = { memoryKiB: 19_456, passes: 2 };

/** For secrets of 192 random bits, which no amount of guessing finds: some 1 ms. */
export const keyCost: HashCost = { memoryKiB: 1_024, passes: 2 };

export interface HasherOptions {
  readonly cost: HashCost;
  /** Hashes at once; each takes a core. */
  readonly concurrency: number;
  /** Hashes that may wait; beyond that a call fails at once. */
  readonly maxWaiting: number;
}

/**
 * Hashes with argon2id (RFC 9106), a bounded number at a time. Both methods throw `unavailable` when too many are
 * waiting, so that a flood of sign-ins or of forged keys cannot pile up work.
 */
export class Hasher {
  readonly #cost: HashCost;
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: HasherOptions) {
    this.#cost = options.cost;
    this.#concurrency = options.concurrency;
    this.#maxWaiting = options.maxWaiting;
  }

  /** The secret's hash in PHC string format, with a salt of its own. */
  hash(secret: string): Promise<string> {
    return this.#bounded(() =>
      argon2.hash(secret, {
        type: argon2.argon2id,
        memoryCost: this.#cost.memoryKiB,
        timeCost: this.#cost.passes,
        parallelism: 1,
      }),
    );
  }

  /** Whether the hash is of this secret, in time that does not depend on the answer. */
  verify(hash: string, secret: string): Promise<boolean> {
    return this.#bounded(() => argon2.verify(hash, secret));
  }

  /** Whether the hash was made with other parameters than those of today. It still verifies. */
  isOutdated(hash: string): boolean {
    const { memoryKiB, passes } = this.#cost;
    return argon2.needsRehash(hash, { memoryCost: memoryKiB, timeCost: passes, parallelism: 1 });
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) {
      this.#running += 1;
    } else if (this.#waiting.length >= this.#maxWaiting) {
      throw new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 });
    } else {
      // The one who finishes hands its place over, so the count stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running -= 1;
      } else {
        next();
      }
    }
  }
}
