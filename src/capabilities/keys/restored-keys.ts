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

/** Those of the names that are of keys in the backup. */
const readKnownNames = statement<{ name: string }>("read_restored_names")(
  { ids: array(text), prefixes: array(text) },
  (p) => `
    SELECT id AS name FROM api_key WHERE id = ANY (${p.ids})
    UNION SELECT prefix FROM api_key_secret WHERE prefix = ANY (${p.prefixes})`,
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
    const lines = await readNames(revoked);
    const names = lines.map(({ name }) => name);
    const ids = names.filter((name) => name.startsWith("key_"));
    const prefixes = names.filter((name) => !name.startsWith("key_"));
    const again = await database.transaction((transaction) => transaction.run(revokeAgain, { ids, prefixes }));
    said.push(`Keys revoked again: ${again.length}, of ${names.length} in ${revoked}.`);
    const known = new Set((await database.run(readKnownNames, { ids, prefixes })).map(({ name }) => name));
    const unknown = lines.filter(({ name }) => !known.has(name));
    if (unknown.length > 0) {
      said.push(
        `WARNING: no key of the backup is named by ${unknown.map(describeLine).join(", ")}. Keys that were made after the backup are not in it; correct the others, and run this again.`,
      );
    }
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

interface NamedKey {
  readonly line: number;
  readonly name: string;
}

/** A line for each key, of which the first column counts: its id, or its prefix. */
async function readNames(path: string): Promise<NamedKey[]> {
  const content = await orExplain("revoked", async () => decoded(path, await readFile(path)));
  const lines = content.split("\n").map((line, index) => ({ line: index + 1, name: line.split(",")[0]?.trim() ?? "" }));
  return lines.filter(({ name }) => name !== "" && name !== "id");
}

/** Whatever does not look like an id or a prefix may be a whole key. */
function describeLine({ line, name }: NamedKey): string {
  return /^(key_\w{1,40}|pk_(live|test)_[0-9A-Za-z]{12}|pk_pub_(live|test)_[0-9A-Za-z]{21})$/.test(name)
    ? `line ${line} (${name})`
    : `line ${line}`;
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
