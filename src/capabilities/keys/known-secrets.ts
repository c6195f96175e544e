import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { LruMap } from "../../lru-map.ts";
import type { ParsedKey } from "./key-format.ts";
import { maxRightSecrets, maxWrongSecrets } from "./keys.policy.ts";

/** The hash that a presented key was compared with. Another hash needs another comparison. */
interface Verdict {
  readonly hash: string;
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

  /** The outcome of an earlier comparison. Undefined if there was none. */
  recall(hash: string, { fingerprint }: ParsedKey): boolean | undefined {
    if (this.#accepted.get(fingerprint)?.hash === hash) {
      return true;
    }
    return this.#refused.get(fingerprint)?.hash === hash ? false : undefined;
  }

  /**
   * Compares a presented key with a hash: once, however many ask at the same time. Throws `unavailable` while too many
   * others are being compared.
   */
  compare(hash: string, presented: ParsedKey): Promise<boolean> {
    const name = `${presented.fingerprint} ${hash}`;
    let comparison = this.#comparisons.get(name);
    if (comparison === undefined) {
      comparison = this.#compare(hash, presented).finally(() => this.#comparisons.delete(name));
      this.#comparisons.set(name, comparison);
    }
    return comparison;
  }

  async #compare(hash: string, { key, fingerprint }: ParsedKey): Promise<boolean> {
    const isRight = await this.#hasher.verify(hash, key);
    (isRight ? this.#accepted : this.#refused).set(fingerprint, { hash });
    return isRight;
  }
}
