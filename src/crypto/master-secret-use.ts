import type { Database, Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";
import type { Keyring } from "./keyring.ts";

/** A master secret that a server has written with. The rows that it sealed were started between these two times. */
export interface UsedSecret {
  readonly id: string;
  readonly from: Date;
  readonly until: Date;
}

/** One kind of rows that are sealed with master secrets. */
export interface SealedRows {
  /**
   * Describes in a sentence, without a full stop, what is sealed with the secret and until when. Undefined if nothing is.
   * Counts up to `maxCounted`.
   */
  describe(database: Queryable, secret: UsedSecret): Promise<string | undefined>;
  /**
   * Seals with the current secret what is sealed with this one, which must be in the keyring. Indexes derived from the secret
   * move too. May be stopped and called again at any time. Calls `onProgress` after each batch, with its number of rows.
   * Returns until when rows that cannot be resealed yet need the secret. Undefined if there are none.
   */
  reseal(
    database: Pick<Database, "transaction">,
    keyring: Keyring,
    secret: UsedSecret,
    onProgress: (rows: number) => void,
  ): Promise<Date | undefined>;
  /** Erases the sealed values. Returns in how many rows. */
  erase(database: Pick<Database, "transaction">, secret: UsedSecret): Promise<number>;
}

/** A secret, and what cannot be read without it, one sentence per kind of rows. */
export interface NeededSecret {
  readonly id: string;
  readonly needs: readonly string[];
}

/**
 * Beyond this, "at least so many" is reported: a server that is refused tries again and again, and must not scan a large table
 * each time.
 */
export const maxCounted = 100_000;

/** Use is only noted hourly, and a verification's second recipient is sealed later than the verification was started. */
const margin = "interval '1 day'";

const readUsed = statement<UsedSecret>("read_master_secrets")(
  {},
  () => `
    SELECT id, first_used_at - ${margin} AS from, last_used_at + ${margin} AS until
    FROM master_secret ORDER BY last_used_at`,
);

const forget = statement("delete_master_secret")({ id: text }, (p) => `DELETE FROM master_secret WHERE id = ${p.id}`);

/**
 * The secrets that rows still need and that are not in `known`. A secret that no row needs any more is deleted, so that it is
 * not checked again. Call it only while no server runs that writes with an unknown secret.
 */
export async function findNeededSecrets(
  database: Queryable,
  sealed: readonly SealedRows[],
  known: readonly string[],
): Promise<NeededSecret[]> {
  const unknown = await describeUsedSecrets(database, sealed, (id) => !known.includes(id));
  for (const { id } of unknown.filter(({ needs }) => needs.length === 0)) {
    await database.run(forget, { id });
  }
  return unknown.filter(({ needs }) => needs.length > 0);
}

/** Those of the secrets that servers have written with that are of interest, the one that was used last at the end. Changes nothing. */
export async function describeUsedSecrets(
  database: Queryable,
  sealed: readonly SealedRows[],
  isOfInterest: (id: string) => boolean,
): Promise<NeededSecret[]> {
  const described: NeededSecret[] = [];
  for (const secret of await readUsedSecrets(database)) {
    if (isOfInterest(secret.id)) {
      const needs: string[] = [];
      for (const rows of sealed) {
        const need = await rows.describe(database, secret);
        needs.push(...(need === undefined ? [] : [need]));
      }
      described.push({ id: secret.id, needs });
    }
  }
  return described;
}

/** The master secrets that servers have written with and rows may need. */
function readUsedSecrets(database: Queryable): Promise<UsedSecret[]> {
  return database.run(readUsed, {});
}

/** Erases what is sealed with a lost secret, then deletes the secret. Returns the number of erased rows. */
export async function eraseRowsOf(
  database: Pick<Database, "run" | "transaction">,
  sealed: readonly SealedRows[],
  secretId: string,
): Promise<number> {
  const secret = (await readUsedSecrets(database)).find(({ id }) => id === secretId);
  if (secret === undefined) {
    return 0;
  }
  let total = 0;
  for (const each of sealed) {
    total += await each.erase(database, secret);
  }
  await database.run(forget, { id: secretId });
  return total;
}

/** After this, rows that were started while the old secret was in use may be sealed with the new one. */
const inheritUse = statement("copy_master_secret_use")(
  { oldId: text, newId: text },
  (p) => `
    INSERT INTO master_secret AS secret (id, first_used_at, last_used_at)
    SELECT ${p.newId}, first_used_at, byond_now() FROM master_secret WHERE id = ${p.oldId}
    ON CONFLICT (id) DO UPDATE SET
      first_used_at = least(secret.first_used_at, excluded.first_used_at),
      last_used_at = greatest(secret.last_used_at, excluded.last_used_at)`,
);

/**
 * Seals with the current secret what is sealed with the others of the keyring. All servers must already write with the current
 * one, and the keyring must have every needed one (`findNeededSecrets`). Returns until when rows that cannot be resealed yet
 * need another one. Undefined if there are none. See `SealedRows.reseal`.
 */
export async function resealRows(
  database: Pick<Database, "run" | "transaction">,
  sealed: readonly SealedRows[],
  keyring: Keyring,
  onProgress: (rows: number) => void,
): Promise<Date | undefined> {
  const used = await readUsedSecrets(database);
  const waits: Date[] = [];
  for (const secret of used.filter(({ id }) => id !== keyring.current.id && keyring.find(id) !== undefined)) {
    await database.run(inheritUse, { oldId: secret.id, newId: keyring.current.id });
    for (const rows of sealed) {
      const waitsUntil = await rows.reseal(database, keyring, secret, onProgress);
      waits.push(...(waitsUntil === undefined ? [] : [waitsUntil]));
    }
  }
  return waits.sort((one, other) => one.getTime() - other.getTime()).at(-1);
}

const notingIntervalMs = 3_600_000;

const note = statement("record_master_secret_use")(
  { id: text },
  (p) => `
    INSERT INTO master_secret AS secret (id, first_used_at, last_used_at)
    SELECT ${p.id}, now, now FROM (SELECT byond_now() AS now) AS clock
    ON CONFLICT (id) DO UPDATE SET last_used_at = excluded.last_used_at
    WHERE secret.last_used_at < excluded.last_used_at - interval '1 minute'`,
);

/** Notes that rows are written with a secret from now on. Call it before the first one. */
export async function noteSecretInUse(database: Queryable, id: string): Promise<void> {
  await database.run(note, { id });
}

/**
 * Notes every hour that rows are still written with a secret. Failures are ignored: the readers allow for a day. Returns a
 * function that stops it.
 */
export function keepNotingSecret(database: Queryable, id: string): () => Promise<void> {
  const timer = setInterval(() => void noteSecretInUse(database, id).catch(() => undefined), notingIntervalMs).unref();
  return async () => clearInterval(timer);
}
