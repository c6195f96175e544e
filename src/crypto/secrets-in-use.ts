import type { Database, Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";

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
