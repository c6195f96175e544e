import type { Keyring } from "../../../crypto/keyring.ts";
import { maxCounted, type SealedRows } from "../../../crypto/master-secret-use.ts";
import { resealBatchSize, resealInBatches } from "../../../crypto/reseal-batches.ts";
import { array, bytea, type Placeholders, statement, text, timestamptz } from "../../../database/statement.ts";
import { type NumberIndex, parseLookup, sealText, unsealText } from "./stored-lookup.ts";

interface SealedRow {
  readonly workspaceId: string;
  readonly id: string;
  readonly sealed: Buffer;
}

/** What is sealed begins with the id of its master secret. */
const isOfSecret = (id: string) => `substring(sealed FROM 1 FOR 4) = decode(${id}, 'hex')`;

const used = { id: text, from: timestamptz, until: timestamptz };

/** Names the predicate of the index on `created_at`, so that only the rows of these times are read. */
const rowsOfSecret = (p: Placeholders<typeof used>) => `
  FROM lookup WHERE created_at >= ${p.from} AND created_at <= ${p.until} AND created_at < 'infinity' AND ${isOfSecret(p.id)}`;

const count = statement<{ rows: number }>("count_lookups_of_secret")(
  used,
  (p) => `SELECT count(*)::integer AS rows FROM (SELECT 1 ${rowsOfSecret(p)} LIMIT ${maxCounted}) AS rows`,
);

const readBatch = statement<SealedRow>("read_lookups_to_reseal")(
  { secretId: text, afterWorkspaceId: text, afterId: text },
  (p) => `
    SELECT workspace_id, id, sealed FROM lookup
    WHERE (workspace_id, id) > (${p.afterWorkspaceId}, ${p.afterId}) AND ${isOfSecret(p.secretId)}
    ORDER BY workspace_id, id LIMIT ${resealBatchSize} FOR UPDATE`,
);

const writeBatch = statement("write_resealed_lookups")(
  { workspaceIds: array(text), ids: array(text), numberIndexes: array(text), sealed: array(bytea) },
  (p) => `
    UPDATE lookup SET number_index = resealed.number_index, sealed = resealed.sealed
    FROM unnest(${p.workspaceIds}, ${p.ids}, ${p.numberIndexes}, ${p.sealed})
      AS resealed (workspace_id, id, number_index, sealed)
    WHERE lookup.workspace_id = resealed.workspace_id AND lookup.id = resealed.id`,
);

const erase = statement<{ id: string }>("erase_lookups_of_secret")(
  { secretId: text },
  (p) => `DELETE FROM lookup WHERE ${isOfSecret(p.secretId)} RETURNING id`,
);

/** The history. A server needs the master secrets of its rows: without them nobody could find the number that is to be erased. */
export function sealedLookups(numberIndex: NumberIndex): SealedRows {
  const resealed = (keyring: Keyring, row: SealedRow) => {
    const lookup = unsealText(keyring, row, row.sealed);
    return lookup === undefined
      ? []
      : [
          {
            ...row,
            numberIndex: numberIndex(keyring.current, parseLookup(lookup).number),
            sealed: sealText(keyring, row, lookup),
          },
        ];
  };
  return {
    async describe(database, secret) {
      const [row] = await database.run(count, secret);
      return row === undefined || row.rows === 0 ? undefined : `${row.rows} lookups of the history are sealed with it`;
    },

    async reseal(database, keyring, { id: secretId }, onProgress) {
      await resealInBatches(database, onProgress, async (transaction, after) => {
        const found = await transaction.run(readBatch, { secretId, ...after });
        const written = found.flatMap((row) => resealed(keyring, row));
        await transaction.run(writeBatch, {
          workspaceIds: written.map(({ workspaceId }) => workspaceId),
          ids: written.map(({ id }) => id),
          numberIndexes: written.map((row) => row.numberIndex),
          sealed: written.map(({ sealed }) => sealed),
        });
        return found;
      });
      return undefined;
    },

    async erase(database, { id: secretId }) {
      return (await database.transaction((transaction) => transaction.run(erase, { secretId }))).length;
    },
  };
}
