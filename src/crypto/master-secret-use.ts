import type { Database, Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";
import type { Keyring } from "./keyring.ts";

/** A master secret that a server has written with. Its rows were started between these two moments. */
export interface UsedSecret {
  readonly id: string;
  readonly from: Date;
  readonly until: Date;
}

/** Rows of one kind that cannot be read without the master secret that they were sealed with. */
export interface SealedRows {
  /**
   * Says in a sentence, without a full stop, what is sealed with a secret and until when; undefined if nothing is. Counts up to
   * `mostCounted`.
   */
  describe(database: Queryable, secret: UsedSecret): Promise<string | undefined>;
  /**
   * Seals with the current secret what is sealed with this one, which the keyring has, and finds it by the current one from then on.
   * May be stopped and called again at any time. Calls `onProgress` after each batch, with the number of its rows. Answers until
   * when rows that must wait need the secret; undefined if none do.
   */
  reseal(
    database: Pick<Database, "transaction">,
    keyring: Keyring,
    secret: UsedSecret,
    onProgress: (rows: number) => void,
  ): Promise<Date | undefined>;
  /** Erases what they hold under the seal. Answers how many did. */
  erase(database: Pick<Database, "transaction">, secret: UsedSecret): Promise<number>;
}

/** A secret that a server does not have, and what cannot be read without it, each in a sentence. */
export interface NeededSecret {
  readonly id: string;
  readonly needs: readonly string[];
}

/** More is "at least so many": whoever is refused a start tries again and again, and must not read a large table each time. */
export const mostCounted = 100_000;

/** The times of use are noted hourly, and a verification's second recipient is sealed later than it was started. */
const margin = "interval '1 day'";

const readUsed = statement<UsedSecret>("read_master_secrets")(
  {},
  () => `
    SELECT id, first_used_at - ${margin} AS from, last_used_at + ${margin} AS until
    FROM master_secret ORDER BY last_used_at`,
);

const forget = statement("forget_master_secret")({ id: text }, (p) => `DELETE FROM master_secret WHERE id = ${p.id}`);

/**
 * The secrets that rows still need and that are not among `known`. One that no row needs any more is forgotten: nothing is to
 * be read for it again. No server that writes with another secret than the known ones may run.
 */
export async function findNeededSecrets(
  database: Queryable,
  sealed: readonly SealedRows[],
  known: readonly string[],
): Promise<NeededSecret[]> {
  const needed: NeededSecret[] = [];
  for (const secret of await readUsedSecrets(database)) {
    if (known.includes(secret.id)) {
      continue;
    }
    const needs: string[] = [];
    for (const rows of sealed) {
      const need = await rows.describe(database, secret);
      needs.push(...(need === undefined ? [] : [need]));
    }
    if (needs.length === 0) {
      await database.run(forget, { id: secret.id });
    } else {
      needed.push({ id: secret.id, needs });
    }
  }
  return needed;
}

/** The master secrets that servers have written with, and that rows may need. */
function readUsedSecrets(database: Queryable): Promise<UsedSecret[]> {
  return database.run(readUsed, {});
}

/** Erases what rows hold under the seal of a secret that is lost, and forgets the secret. Answers how many rows did. */
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

/** From here on, rows that were started while the old secret was used may be sealed with the new one. */
const inheritUse = statement("inherit_use_of_master_secret")(
  { oldId: text, newId: text },
  (p) => `
    INSERT INTO master_secret AS secret (id, first_used_at, last_used_at)
    SELECT ${p.newId}, first_used_at, byond_now() FROM master_secret WHERE id = ${p.oldId}
    ON CONFLICT (id) DO UPDATE SET
      first_used_at = least(secret.first_used_at, excluded.first_used_at),
      last_used_at = greatest(secret.last_used_at, excluded.last_used_at)`,
);

/**
 * Seals with the current secret what is sealed with another one of the keyring. All servers have to write with the current one, and the
 * keyring has to have every needed one (`findNeededSecrets`).
 * Answers until when rows that must wait need another one; undefined if none do. See `SealedRows.reseal`.
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

const note = statement("note_master_secret")(
  { id: text },
  (p) => `
    INSERT INTO master_secret AS secret (id, first_used_at, last_used_at)
    SELECT ${p.id}, now, now FROM (SELECT byond_now() AS now) AS clock
    ON CONFLICT (id) DO UPDATE SET last_used_at = excluded.last_used_at
    WHERE secret.last_used_at < excluded.last_used_at - interval '1 minute'`,
);

/** Notes that rows are written with a secret from here on. To be called before the first one. */
export async function noteSecretInUse(database: Queryable, id: string): Promise<void> {
  await database.run(note, { id });
}

/** Notes hourly that rows are still written with a secret. What fails is made up for: nobody counts on less than a day. Returns what ends it. */
export function keepNotingSecret(database: Queryable, id: string): () => Promise<void> {
  const timer = setInterval(() => void noteSecretInUse(database, id).catch(() => undefined), notingIntervalMs).unref();
  return async () => clearInterval(timer);
}
