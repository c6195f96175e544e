import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Queryable } from "../database/database.ts";
import type { Hasher } from "../hashing.ts";
import type { KeyCaller, Mode } from "../rpc/caller.ts";
import { parseKey } from "./key-format.ts";
import type { LastUsed } from "./last-used.ts";

/** What the database knows of a key. */
interface StoredKey {
  readonly id: string;
  readonly workspace_id: string;
  readonly workspace_name: string;
  readonly secret_hash: string;
  readonly mode: Mode;
  readonly scopes: readonly string[] | null;
  readonly revoked_at: Date | null;
}

const readKey = {
  name: "read_api_key",
  text: `
    SELECT api_key.id, workspace_id, workspace.name AS workspace_name, secret_hash, mode, scopes, revoked_at
    FROM api_key JOIN workspace ON workspace.id = workspace_id
    WHERE prefix = $1`,
};

const maxRememberedSecrets = 100_000;

interface Dependencies {
  readonly database: Queryable;
  readonly keyHasher: Hasher;
  readonly tagKey: Buffer;
  readonly lastUsed: LastUsed;
}

/**
 * Tells who an API key belongs to. A forged key is refused by its tag, with nothing read. A true one is compared with
 * its argon2id hash once; after that the presented secret is known by an HMAC under a key that only this process has.
 */
export class KeyAuthenticator {
  readonly #deps: Dependencies;
  readonly #processKey = randomBytes(32);
  /** By the hash that the secret was compared with, so that a new hash asks for a new comparison. */
  readonly #knownSecrets = new Map<string, Buffer>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** The caller of a valid key. Undefined for one that is malformed, forged, unknown, wrong or revoked. */
  async authenticateKey(presented: string): Promise<KeyCaller | undefined> {
    const parsed = parseKey(presented, this.#deps.tagKey);
    if (parsed === undefined) {
      return undefined;
    }
    const [stored] = await this.#deps.database.query<StoredKey & Record<string, unknown>>(readKey, [parsed.prefix]);
    if (stored === undefined || stored.revoked_at !== null || !(await this.#isSecretOf(stored, presented))) {
      return undefined;
    }
    this.#deps.lastUsed.touch(stored.id);
    return {
      kind: "key",
      workspaceId: stored.workspace_id,
      workspaceName: stored.workspace_name,
      keyId: stored.id,
      keyPrefix: parsed.prefix,
      mode: stored.mode,
      scopes: stored.scopes,
    };
  }

  async #isSecretOf(stored: StoredKey, presented: string): Promise<boolean> {
    const digest = createHmac("sha256", this.#processKey).update(presented).digest();
    const known = this.#knownSecrets.get(stored.secret_hash);
    if (known !== undefined && timingSafeEqual(known, digest)) {
      return true;
    }
    if (!(await this.#deps.keyHasher.verify(stored.secret_hash, presented))) {
      return false;
    }
    if (this.#knownSecrets.size >= maxRememberedSecrets) {
      this.#knownSecrets.clear();
    }
    this.#knownSecrets.set(stored.secret_hash, digest);
    return true;
  }
}
