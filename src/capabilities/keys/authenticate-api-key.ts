import type { Authenticated } from "../../access/authorize.ts";
import type { KeyCaller } from "../../access/caller.ts";
import { type Awaitable, whenReady } from "../../awaitable.ts";
import type { Clock } from "../../clock.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import type { QueryableTables } from "../../database/database.ts";
import type { Logger } from "../../observe/log.ts";
import type { CredentialCache, Found } from "../../revocation/credential-cache.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { prefixSubject } from "../../revocation/revocation-subjects.ts";
import { parseKey, prefixOf, presentedKeyLengths } from "./key-format.ts";
import type { KeySettings } from "./key-settings.ts";
import type { KeyTables } from "./key-tables.ts";
import { maxRememberedKeys } from "./keys.policy.ts";
import { fingerprintOf, KnownSecrets, type PresentedSecret } from "./known-secrets.ts";
import type { LastUsed } from "./last-used.ts";
import { readStoredKey, type StoredKey } from "./stored-key.ts";

interface Dependencies extends KeySettings {
  readonly database: QueryableTables;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keyHasher: Hasher;
  readonly tagKey: Buffer;
  readonly lastUsed: LastUsed;
  readonly revocation: Pick<RevocationService, "cache">;
}

/**
 * Authenticates API keys. A forged key is refused by its tag, without reading anything. A key's row is cached until the key
 * is revoked or changed, and a secret is compared with its argon2id hash once. Revocation and expiry are checked on every
 * request.
 */
export class KeyAuthenticator {
  readonly #deps: Dependencies;
  readonly #keys: CredentialCache<StoredKey>;
  readonly #knownSecrets: KnownSecrets;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#knownSecrets = new KnownSecrets(deps.keyHasher);
    this.#keys = deps.revocation.cache({
      load: (prefix) => readStoredKey(deps, prefix),
      subjectOf: prefixSubject,
      maxEntries: maxRememberedKeys,
    });
  }

  /**
   * The caller of a valid key. Undefined for one that is malformed, forged, unknown, wrong, revoked or expired. Throws
   * `unavailable` if the database is needed and cannot be reached, or if too many keys are new at once.
   */
  authenticateKey(presented: string): Awaitable<Authenticated<KeyCaller> | undefined> {
    if (!presentedKeyLengths.has(presented.length)) {
      return undefined;
    }
    const fingerprint = fingerprintOf(presented);
    const verdict = this.#knownSecrets.recall(fingerprint);
    const prefix = verdict?.prefix ?? parseKey(presented, this.#deps.tagKey)?.prefix;
    if (prefix === undefined) {
      return undefined;
    }
    return whenReady(this.#keys.get(prefix), (found) => {
      // The state first, so that a key that was revoked or has expired costs no comparison.
      if (found === undefined || !isUsable(found.record)) {
        return undefined;
      }
      const { secretHash } = found.record;
      if (secretHash === null) {
        return this.#admit(found);
      }
      const isRight =
        verdict?.hash === secretHash
          ? verdict.isRight
          : this.#compare(secretHash, { key: presented, fingerprint, prefix });
      return whenReady(isRight, (isIt) => (isIt ? this.#admit(found) : undefined));
    });
  }

  #admit(found: Found<StoredKey>): Authenticated<KeyCaller> {
    const { caller } = found.record;
    this.#deps.lastUsed.touch(caller.keyId);
    return { caller, basis: found };
  }

  async #compare(secretHash: string, presented: PresentedSecret): Promise<boolean> {
    const isRight = await this.#knownSecrets.compare(secretHash, presented);
    if (isRight && this.#deps.keyHasher.isOutdated(secretHash)) {
      void upgradeSecretHash(this.#deps, { outdatedHash: secretHash, key: presented.key });
    }
    return isRight;
  }
}

function isUsable({ isRevoked, expiry }: StoredKey): boolean {
  return !isRevoked && expiry?.hasPassed !== true;
}

/**
 * Replaces a hash that was made with other parameters than today's by a new one of the same secret. Servers that have cached
 * the old one stay right, so nothing is revoked. Never throws; the next server that compares the key tries again.
 */
async function upgradeSecretHash(
  deps: { readonly database: QueryableTables; readonly keyHasher: Hasher; readonly logger: Logger },
  input: { readonly outdatedHash: string; readonly key: string },
): Promise<void> {
  try {
    const hash = await deps.keyHasher.hash(input.key);
    await deps.database.query((tables: KeyTables) =>
      tables
        .updateTable("api_key_secret")
        .set({ secretHash: hash })
        .where("prefix", "=", prefixOf(input.key))
        .where("secretHash", "=", input.outdatedHash),
    );
  } catch (error) {
    deps.logger.warn("key_rehash_failed", { error });
  }
}
