import type { Mode } from "../../access/caller.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import { generateKey } from "./key-format.ts";

/** A secret that no key has yet. */
export interface NewSecret {
  /** The whole key, which is shown once. */
  readonly key: string;
  readonly prefix: string;
  readonly secretHash: string;
}

/** Makes a secret. Hashing takes a while: call it before the transaction that stores the hash. */
export async function createSecret(
  deps: { readonly keyHasher: Hasher; readonly tagKey: Buffer },
  mode: Mode,
): Promise<NewSecret> {
  const { key, prefix } = generateKey(mode, deps.tagKey);
  return { key, prefix, secretHash: await deps.keyHasher.hash(key) };
}
