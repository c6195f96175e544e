import { type Database, type Queryable, runChange } from "../../database/database.ts";
import { type Placeholders, statement, text, timestamptz } from "../../database/statement.ts";
import { erasure } from "./erase-recipient.ts";

/** A master secret that a server has written with. Its rows were started between these two moments. */
type UsedSecret = {
  readonly id: string;
  readonly from: Date;
  readonly until: Date;
};

/** A secret that a server does not have, and rows that cannot be read without it. */
export interface NeededSecret {
  readonly id: string;
  /** Verifications that hold a recipient sealed with it; counted up to `mostCounted`. */
  readonly rows: number;
  /** When the last of them was started. */
  readonly newest: Date;
}

/** More is "at least so many": whoever is refused a start tries again and again, and must not read a large table each time. */
export const mostCounted = 100_000;

/** The times of use are noted hourly, and a verification's second recipient is sealed later than it was started. */
const margin = "interval '1 day'";

const usedSecret = { id: text, from: timestamptz, until: timestamptz };

/** SQL of the rows whose recipient is sealed with a secret. */
const rowsOfSecret = (p: Placeholders<typeof usedSecret>) => `
  FROM verification
  WHERE created_at >= ${p.from} AND created_at <= ${p.until} AND (
    (secret_id = ${p.id} AND recipient_sealed IS NOT NULL)
    OR substring(second_recipient_sealed FROM 1 FOR 4) = decode(${p.id}, 'hex')
  )`;

const readUsed = statement<UsedSecret>("read_master_secrets")(
  {},
  () => `
    SELECT id, first_used_at - ${margin} AS from, last_used_at + ${margin} AS until
    FROM master_secret ORDER BY last_used_at`,
);

/** By the index on `created_at`: rows of other times are not looked at. */
const count = statement<{ rows: number; newest: Date | null }>("count_rows_of_secret")(
  usedSecret,
  (p) => `
    SELECT
      (SELECT count(*) FROM (SELECT 1 ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT ${mostCounted}) AS rows)::integer AS rows,
      (SELECT created_at ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT 1) AS newest`,
);

const forget = statement("forget_master_secret")({ id: text }, (p) => `DELETE FROM master_secret WHERE id = ${p.id}`);

/**
 * The secrets that rows still need and that are not among `known`. One that no row needs any more is forgotten: nothing is to
 * be read for it again. No server that writes with another secret than the known ones may run.
 */
export async function findNeededSecrets(database: Queryable, known: readonly string[]): Promise<NeededSecret[]> {
  const needed: NeededSecret[] = [];
  for (const { id, from, until } of await database.run(readUsed, {})) {
    if (known.includes(id)) {
      continue;
    }
    const [found] = await database.run(count, { id, from, until });
    if (found === undefined || found.newest === null) {
      await database.run(forget, { id });
    } else {
      needed.push({ id, rows: found.rows, newest: found.newest });
    }
  }
  return needed;
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

const batchSize = 500;

const erase = statement<{ erased: number; newest: Date | null }>("erase_rows_of_secret")(
  usedSecret,
  (p) => `
    WITH due AS (
      SELECT workspace_id, id, created_at ${rowsOfSecret(p)} ORDER BY created_at LIMIT ${batchSize} FOR UPDATE
    ), erased AS (
      UPDATE verification SET ${erasure} FROM due
      WHERE verification.workspace_id = due.workspace_id AND verification.id = due.id
      RETURNING due.created_at
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      FROM due WHERE outbox.workspace_id = due.workspace_id AND outbox.subject_id = due.id
    )
    SELECT count(*)::integer AS erased, max(created_at) AS newest FROM erased`,
);

/** Erases what verifications hold of their recipients, where that was sealed with a secret. Answers how many did. */
export async function eraseRowsOf(
  database: Pick<Database, "query" | "run" | "transaction">,
  secretId: string,
): Promise<number> {
  const used = (await database.run(readUsed, {})).find(({ id }) => id === secretId);
  if (used === undefined) {
    return 0;
  }
  let total = 0;
  let { from } = used;
  for (;;) {
    const [row] = await runChange(database, erase, { id: secretId, from, until: used.until });
    total += row?.erased ?? 0;
    if (row === undefined || row.erased < batchSize) {
      await database.run(forget, { id: secretId });
      return total;
    }
    from = row.newest ?? from;
  }
}
