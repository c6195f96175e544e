import { hash, randomBytes } from "node:crypto";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { LruMap } from "../../lru-map.ts";
import { maxRightSecrets, maxWrongSecrets } from "./keys.policy.ts";

/** What became of the comparison of a presented key with its hash. Another hash needs another comparison. */
export interface Verdict {
  readonly hash: string;
  /** Of the key. Only genuine keys are compared, so one that is known need not be checked again. */
  readonly prefix: string;
  readonly isRight: boolean;
}

/** A key that is to be compared. */
export interface PresentedSecret {
  readonly key: string;
  readonly fingerprint: string;
  readonly prefix: string;
}

/** Of this process: a fingerprint means nothing elsewhere. */
const salt = randomBytes(32).toString("base64");

/** Tells a presented key from all others, and nothing about it: it has 192 random bits. */
export function fingerprintOf(presented: string): string {
  return hash("sha256", salt + presented, "base64");
}

/**
 * Remembers which presented keys are right and which are wrong, so that each is compared with its argon2id hash once. It
 * knows keys by their fingerprints: nothing in its memory can be presented.
 */
export class KnownSecrets {
  readonly #hasher: Pick<Hasher, "verify">;
  readonly #accepted = new LruMap<string, Verdict>(maxRightSecrets);
  readonly #refused = new LruMap<string, Verdict>(maxWrongSecrets);
  readonly #comparisons = new Map<string, Promise<boolean>>();

  constructor(hasher: Pick<Hasher, "verify">) {
    this.#hasher = hasher;
  }

  /** The outcome of the last comparison of a key. Undefined if there was none. */
  recall(fingerprint: string): Verdict | undefined {
    return this.#accepted.get(fingerprint) ?? this.#refused.get(fingerprint);
  }

  /**
   * Compares a genuine key with a hash: once, however many ask at the same time. Throws `unavailable` while too many
   * others are being compared.
   */
  compare(hash: string, presented: PresentedSecret): Promise<boolean> {
    const name = `${presented.fingerprint} ${hash}`;
    let comparison = this.#comparisons.get(name);
    if (comparison === undefined) {
      comparison = this.#compare(hash, presented).finally(() => this.#comparisons.delete(name));
      this.#comparisons.set(name, comparison);
    }
    return comparison;
  }

  async #compare(hash: string, { key, fingerprint, prefix }: PresentedSecret): Promise<boolean> {
    const isRight = await this.#hasher.verify(hash, key);
    const [into, outOf] = isRight ? [this.#accepted, this.#refused] : [this.#refused, this.#accepted];
    outOf.delete(fingerprint);
    into.set(fingerprint, { hash, prefix, isRight });
    return isRight;
  }
}
