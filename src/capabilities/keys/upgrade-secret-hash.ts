import type { Hasher } from "../../crypto/hashing.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { Logger } from "../../observe/log.ts";
import { prefixOf } from "./key-format.ts";

const upgrade = statement("upgrade_api_key_hash")(
  { prefix: text, outdated: text, hash: text },
  (p) => `UPDATE api_key_secret SET secret_hash = ${p.hash} WHERE prefix = ${p.prefix} AND secret_hash = ${p.outdated}`,
);

/**
 * Replaces a hash that was made with other parameters by one of today's, of the same secret: whoever still knows the old
 * one is right too, so nothing is revoked. Never throws; the next server that compares the key tries again.
 */
export async function upgradeSecretHash(
  deps: { readonly database: Queryable; readonly keyHasher: Hasher; readonly logger: Logger },
  input: { readonly outdatedHash: string; readonly key: string },
): Promise<void> {
  try {
    const hash = await deps.keyHasher.hash(input.key);
    await deps.database.run(upgrade, { prefix: prefixOf(input.key), outdated: input.outdatedHash, hash });
  } catch (error) {
    deps.logger.warn("a key's hash was not renewed", { error });
  }
}
