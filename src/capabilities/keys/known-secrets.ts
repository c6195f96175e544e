import { randomBytes } from "node:crypto";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import { LruMap } from "../../lru-map.ts";
import { maxRightSecrets, maxWrongSecrets } from "./keys.policy.ts";

/** The hash that a presented key was compared with. Another hash needs another comparison. */
interface Verdict {
  readonly hash: string;
}

/**
 * Remembers which presented keys are right and which are wrong, so that each is compared with its argon2id hash once. It
 * stores an HMAC of a key, under a secret of this process: nothing in its memory can be presented.
 */
export class KnownSecrets {
  readonly #hasher: Pick<Hasher, "verify">;
  readonly #processKey = randomBytes(32);
  readonly #accepted = new LruMap<string, Verdict>(maxRightSecrets);
  readonly #refused = new LruMap<string, Verdict>(maxWrongSecrets);
  readonly #comparisons = new Map<string, Promise<boolean>>();

  constructor(hasher: Pick<Hasher, "verify">) {
    this.#hasher = hasher;
  }

  /** The outcome of an earlier comparison. Undefined if there was none. */
  recall(hash: string, presented: string): boolean | undefined {
    const digest = this.#digest(presented);
    if (this.#accepted.get(digest)?.hash === hash) {
      return true;
    }
    return this.#refused.get(digest)?.hash === hash ? false : undefined;
  }

  /**
   * Compares a presented key with a hash: once, however many ask at the same time. Throws `unavailable` while too many
   * others are being compared.
   */
  compare(hash: string, presented: string): Promise<boolean> {
    const digest = this.#digest(presented);
    const name = `${digest} ${hash}`;
    let comparison = this.#comparisons.get(name);
    if (comparison === undefined) {
      comparison = this.#compare(digest, hash, presented).finally(() => this.#comparisons.delete(name));
      this.#comparisons.set(name, comparison);
    }
    return comparison;
  }

  async #compare(digest: string, hash: string, presented: string): Promise<boolean> {
    const isRight = await this.#hasher.verify(hash, presented);
    (isRight ? this.#accepted : this.#refused).set(digest, { hash });
    return isRight;
  }

  #digest(presented: string): string {
    return hmacSha256(this.#processKey, presented).toString("base64");
  }
}
