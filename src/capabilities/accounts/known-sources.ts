import { sql } from "kysely";
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable, QueryableTables } from "../../database/database.ts";
import { bytea, statement, text } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { databaseTime } from "../../database/table-query.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import { limitKeyOf, unknownSource } from "../../server/client-address.ts";
import type { AccountTables } from "./account-tables.ts";
import { knownSourceDays } from "./accounts.policy.ts";

/**
 * A source in the database: a keyed hash for each master secret, the current one first, so that a rotation forgets nobody.
 * Empty if the client address is unknown.
 */
export function sourceIndexes(keyring: Keyring, accountId: string, clientAddress: string | undefined): Buffer[] {
  const source = limitKeyOf(clientAddress);
  return source === unknownSource
    ? []
    : keyring.all.map((secret) => hmacSha256(secret.subkey("sign-in-source"), `${accountId} ${source}`));
}

/** SQL that remembers sources; `selected` is SQL that selects account, source and the time now. */
export function insertKnownSource(selected: string): string {
  return `
    INSERT INTO known_source AS known (account_id, source, expires_at)
    SELECT account_id, source, now + interval '${knownSourceDays} days' FROM (${selected}) AS seen (account_id, source, now)
    ON CONFLICT (account_id, source) DO UPDATE SET expires_at = excluded.expires_at
      WHERE known.expires_at < excluded.expires_at - interval '1 hour'`;
}

const remember = statement("record_known_source")({ accountId: text, source: bytea }, (p) =>
  insertKnownSource(`SELECT ${p.accountId}, ${p.source}, byond_now()`),
);

/** Forgets the sources of an account whose password is replaced. */
export async function forgetSources(transaction: QueryableTables, accountId: string): Promise<void> {
  await transaction.query((tables: AccountTables) =>
    tables.deleteFrom("known_source").where("accountId", "=", accountId),
  );
}

/** Remembers a source that the owner of an account has authenticated from. */
export async function rememberSource(
  { keyring }: { readonly keyring: Keyring },
  transaction: Queryable,
  { accountId, clientAddress }: { readonly accountId: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const [source] = sourceIndexes(keyring, accountId, clientAddress);
  if (source !== undefined) {
    await transaction.run(remember, { accountId, source });
  }
}

/** Whether a source is known to an account. Runs the same query for an account that does not exist. */
export async function isKnownSource(
  { database, keyring }: { readonly database: QueryableTables; readonly keyring: Keyring },
  { accountId, clientAddress }: { readonly accountId: string; readonly clientAddress: string | undefined },
): Promise<boolean> {
  const sources = sourceIndexes(keyring, accountId, clientAddress);
  const known = await database.query((tables: AccountTables) =>
    tables
      .selectFrom("known_source")
      .select("source")
      .where("accountId", "=", accountId)
      .where("source", "=", sql<Buffer>`ANY (${sources}::bytea[])`)
      .where("expiresAt", ">", databaseTime),
  );
  return known.length > 0;
}

/** Removes expired sources. */
export function knownSourceSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOldest(deps, { table: "known_source", column: "expires_at", until: "(SELECT byond_now())" });
}
