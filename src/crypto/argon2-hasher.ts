import { timingSafeEqual } from "node:crypto";
import argon2 from "argon2";
import { AppError } from "../errors.ts";
import { FairQueue, type Turn } from "./fair-queue.ts";

/** Cost of a hash. It is stored in the hash: a change applies to new hashes, and old ones still verify. */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/** OWASP's parameters for passwords (Password Storage Cheat Sheet, argon2id): some 30 ms. */
export const passwordCost: HashCost = { memoryKiB: 19_456, passes: 2 };

/** For secrets of 192 random bits, which cannot be guessed: some 1 ms. */
export const keyCost: HashCost = { memoryKiB: 1_024, passes: 2 };

export interface HasherOptions {
  readonly cost: HashCost;
  /** Hashes computed at once. Each takes a core. */
  readonly concurrency: number;
  /** Hashes of one lane that may wait. Beyond that, calls fail at once. */
  readonly maxWaiting: number;
}

/** The hash that a password matches. */
export interface Match {
  readonly hash: string;
  /** False for old hashes, of the password as it was typed. New ones are of its normal form. */
  readonly isOfNormalForm: boolean;
}

/** Shorter than the time in which any limit restores a token: see `password-attempts.ts`. */
const maxWaitMs = 5_000;

/**
 * Hashes with argon2id (RFC 9106), a bounded number at a time. All methods that hash throw `unavailable` when too many hashes
 * are waiting, so that a flood of sign-ins or forged keys cannot pile up work. `Turn` says whose work it is.
 */
export class Hasher {
  readonly #cost: HashCost;
  readonly #queue: FairQueue;

  constructor({ cost, concurrency, maxWaiting }: HasherOptions) {
    this.#cost = cost;
    this.#queue = new FairQueue({
      concurrency,
      maxWaiting,
      maxWaitMs,
      busy: () => new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 }),
    });
  }

  /** The hashes that wait and those that are computed. */
  get queue(): Pick<FairQueue, "running" | "waiting" | "finished" | "refused"> {
    return this.#queue;
  }

  /** The secret's hash in PHC string format, with a salt of its own, or with that of the hash `saltOf` (see `match`). */
  hash(secret: string, turn?: Turn, saltOf?: string): Promise<string> {
    const { memoryKiB, passes } = this.#cost;
    const options = { type: argon2.argon2id, memoryCost: memoryKiB, timeCost: passes, parallelism: 1 } as const;
    const salt = saltOf === undefined ? {} : { salt: Buffer.from(saltOf.split("$").at(-2) ?? "", "base64") };
    return this.#queue.run(() => argon2.hash(secret, { ...options, ...salt }), turn);
  }

  /** Like `hash`, for text that people type. */
  hashPassword(password: string, turn?: Turn, saltOf?: string): Promise<string> {
    return this.hash(normalForm(password), turn, saltOf);
  }

  /** Whether the hash is of this secret, in time that does not depend on the answer. */
  verify(hash: string, secret: string, turn?: Turn): Promise<boolean> {
    return this.#queue.run(() => argon2.verify(hash, secret), turn);
  }

  /**
   * The hash that is of this password. Undefined if none is. Hashes with the same salt and cost take one computation together,
   * or two if the password was not typed in its normal form: the time does not reveal how many there are.
   */
  async match(hashes: readonly string[], password: string, turn?: Turn): Promise<Match | undefined> {
    const normal = normalForm(password);
    for (const form of new Set([normal, password])) {
      const hash = await this.#find(hashes, form, turn);
      if (hash !== undefined) {
        return { hash, isOfNormalForm: form === normal };
      }
    }
    return undefined;
  }

  async #find(hashes: readonly string[], secret: string, turn?: Turn): Promise<string | undefined> {
    for (const [, alike] of Map.groupBy(hashes, (hash) => hash.slice(0, hash.lastIndexOf("$")))) {
      const [first = ""] = alike;
      if (alike.length === 1 || this.isOutdated(first)) {
        for (const hash of alike) {
          if (await this.verify(hash, secret, turn)) {
            return hash;
          }
        }
      } else {
        const computed = Buffer.from(await this.hash(secret, turn, first));
        const found = alike.find((hash) => timingSafeEqual(Buffer.from(hash), computed));
        if (found !== undefined) {
          return found;
        }
      }
    }
    return undefined;
  }

  /** Whether the hash was made with other parameters than those of today. It still verifies. */
  isOutdated(hash: string): boolean {
    const { memoryKiB, passes } = this.#cost;
    return argon2.needsRehash(hash, { memoryCost: memoryKiB, timeCost: passes, parallelism: 1 });
  }
}

/**
 * Makes equal what different keyboards write for the same password: composed letters, kinds of spaces (NIST SP 800-63B
 * §5.1.1.2). NFKC includes NFC, which RFC 8265 §4.2.2 asks for.
 */
function normalForm(password: string): string {
  return password.normalize("NFKC");
}
