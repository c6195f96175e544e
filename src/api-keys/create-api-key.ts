import type { Queryable } from "../database/database.ts";
import type { Hasher } from "../hashing.ts";
import { createId } from "../ids.ts";
import type { Mode } from "../rpc/caller.ts";
import { generateKey } from "./key-format.ts";

export interface CreateApiKeyInput {
  readonly workspaceId: string;
  readonly name: string;
  readonly mode: Mode;
  /** Null: unrestricted. Never empty. */
  readonly scopes: readonly string[] | null;
}

/** A key that was just made. The only moment at which the whole key is known. */
export interface CreatedApiKey extends CreateApiKeyInput {
  readonly id: string;
  readonly prefix: string;
  readonly key: string;
  readonly createdAt: Date;
}

const insertApiKey = {
  name: "insert_api_key",
  text: `
    INSERT INTO api_key (id, workspace_id, prefix, secret_hash, name, mode, scopes, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, date_trunc('milliseconds', byond_now()))
    RETURNING created_at`,
};

/** Mints a key and stores its hash. */
export async function createApiKey(
  deps: { readonly database: Queryable; readonly keyHasher: Hasher; readonly tagKey: Buffer },
  input: CreateApiKeyInput,
): Promise<CreatedApiKey> {
  const id = createId("key");
  const { key, prefix } = generateKey(input.mode, deps.tagKey);
  const secretHash = await deps.keyHasher.hash(key);
  const [row] = await deps.database.query<{ created_at: Date }>(insertApiKey, [
    id,
    input.workspaceId,
    prefix,
    secretHash,
    input.name,
    input.mode,
    input.scopes,
  ]);
  if (row === undefined) {
    throw new Error("INSERT … RETURNING returned no row");
  }
  return { ...input, id, prefix, key, createdAt: row.created_at };
}
