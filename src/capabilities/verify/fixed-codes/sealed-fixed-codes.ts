import type { SealedRows } from "../../../crypto/master-secret-use.ts";
import { change, type Queryable } from "../../../database/database.ts";
import { statement, text } from "../../../database/statement.ts";

const count = statement<{ rows: number; until: Date | null }>("count_fixed_codes_of_secret")(
  { id: text },
  (p) => `
    SELECT count(*)::integer AS rows, max(expires_at) AS until FROM fixed_code
    WHERE secret_id = ${p.id} AND expires_at > byond_now()`,
);

const erase = statement<{ erased: number }>("erase_fixed_codes_of_secret")(
  { id: text },
  (p) => `
    WITH erased AS (DELETE FROM fixed_code WHERE secret_id = ${p.id} RETURNING id)
    SELECT count(*)::integer AS erased FROM erased`,
);

async function countOf(database: Queryable, id: string) {
  const [row] = await database.run(count, { id });
  return { rows: row?.rows ?? 0, until: row?.until ?? undefined };
}

/** Fixed codes are not resealed: another secret would make another code, and they end within 30 days. The table is small. */
export const sealedFixedCodes: SealedRows = {
  async describe(database, { id }) {
    const { rows, until } = await countOf(database, id);
    return until === undefined
      ? undefined
      : `${rows} fixed codes are derived from it, until ${until.toISOString().slice(0, 10)}`;
  },

  async reseal(database, _keyring, { id }) {
    return (await database.transaction((transaction) => countOf(transaction, id))).until;
  },

  async erase(database, { id }) {
    const [row] = await change(database, erase, { id });
    return row?.erased ?? 0;
  },
};
