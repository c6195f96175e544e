import { isUtf8 } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";
import { CommandError, type Restored } from "../../capability.ts";
import type { Database } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";

interface ValidKey {
  readonly id: string;
  readonly prefix: string;
  readonly workspaceId: string;
  readonly mode: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** In the order of the primary key, a page at a time. */
const readPage = statement<ValidKey>("list_restored_keys")(
  { afterId: text },
  (p) => `
    SELECT id, prefix, workspace_id, mode, created_at, last_used_at FROM api_key
    WHERE id > ${p.afterId} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > byond_now())
    ORDER BY id LIMIT 1000`,
);

const revokeAgain = statement<{ id: string }>("revoke_restored_keys")(
  { ids: array(text), prefixes: array(text) },
  (p) => `
    UPDATE api_key SET revoked_at = byond_now(), revocation_reason = 'revoked before a backup was restored'
    WHERE revoked_at IS NULL AND id = ANY (ARRAY(
      SELECT unnest(${p.ids}) UNION SELECT key_id FROM api_key_secret WHERE prefix = ANY (${p.prefixes})
    ))
    RETURNING id`,
);

/**
 * After a restore: revokes again the keys in the file `revoked`, and writes those that are valid into the file `keys`. Which ones were revoked
 * since the backup, nothing in it tells. Throws `CommandError` if a file cannot be used.
 */
export async function checkRestoredKeys({ database, options }: Restored): Promise<string[]> {
  const { revoked, keys } = options;
  const said: string[] = [];
  if (revoked !== undefined) {
    const named = await readNames(revoked);
    const ids = named.filter((name) => name.startsWith("key_"));
    const prefixes = named.filter((name) => !name.startsWith("key_"));
    const again = await database.transaction((transaction) => transaction.run(revokeAgain, { ids, prefixes }));
    said.push(`Keys revoked again: ${again.length}, of ${named.length} in ${revoked}.`);
  }
  const valid = await readValidKeys(database);
  if (keys === undefined) {
    return [
      ...said,
      `Keys that are valid: ${valid.length}. Those revoked since the backup are among them: --keys <file> lists them.`,
    ];
  }
  const header = "id,prefix,workspace_id,mode,created_at,last_used_at";
  const rows = valid.map((key) =>
    [
      key.id,
      key.prefix,
      key.workspaceId,
      key.mode,
      key.createdAt.toISOString(),
      key.lastUsedAt?.toISOString() ?? "",
    ].join(","),
  );
  await orExplain("keys", () => writeFile(keys, `${[header, ...rows].join("\n")}\n`, { mode: 0o600 }));
  return [...said, `Keys that are valid: ${valid.length}, in ${keys}. Those revoked since the backup are among them.`];
}

async function readValidKeys(database: Pick<Database, "run">): Promise<ValidKey[]> {
  const all: ValidKey[] = [];
  for (let afterId = ""; ; ) {
    const page = await database.run(readPage, { afterId });
    all.push(...page);
    const last = page.at(-1);
    if (last === undefined) {
      return all;
    }
    afterId = last.id;
  }
}

/** A line for each key, of which the first column counts: its id, or its prefix. */
async function readNames(path: string): Promise<string[]> {
  const content = await orExplain("revoked", async () => decoded(path, await readFile(path)));
  const names = content.split("\n").map((line) => line.split(",")[0]?.trim() ?? "");
  return names.filter((name) => name !== "" && name !== "id");
}

function decoded(path: string, bytes: Buffer): string {
  // UTF-16 may pass for UTF-8, but for its zeros.
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new Error(`${path} is not text in UTF-8`);
  }
  return new TextDecoder().decode(bytes);
}

async function orExplain<T>(option: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CommandError(`--${option}: ${error instanceof Error ? error.message : error}.`);
  }
}
