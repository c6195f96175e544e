import type { Database } from "./database.ts";
import { type Parameters, type Placeholders, type Statement, statement, tid } from "./statement.ts";
import type { Sweep } from "./sweeper.ts";

type Dependencies = { readonly database: Pick<Database, "transaction"> };

/** Rows of a batch. Deleting them takes some ten milliseconds. */
export const sweepBatchSize = 1_000;

/**
 * Pages of a batch, with some fifty rows each. A round reads all pages of a table. For a million rows that takes some 200 ms, which
 * is cheap compared with an index that every use of a row would have to update.
 */
const pagesPerBatch = 64;

/** For the transaction: a plan that was made while a table was empty has to be good when it is full. */
const avoidScans = statement("sweep_without_scans")({}, () => "SELECT set_config('enable_seqscan', 'off', true)");

/** Runs a statement of a sweep in a transaction of its own, without sequential scans. */
export async function runSweep<Values, Row>(
  { database }: Dependencies,
  sweep: Statement<Values, Row>,
  values: NoInfer<Values>,
): Promise<Row | undefined> {
  return database.transaction(async (transaction) => {
    await transaction.run(avoidScans, {});
    const [row] = await transaction.run(sweep, values);
    return row;
  });
}

/**
 * Deletes the rows of a table whose `column`, which has an index, is not after `until`, the oldest first. `until` is SQL: a
 * sub-select, so that it is evaluated once and the index serves it.
 */
export function sweepOldest(
  deps: Dependencies,
  { table, column, until }: { readonly table: string; readonly column: string; readonly until: string },
  batchSize = sweepBatchSize,
): Sweep {
  const isFound = `${column} <= ${until} ORDER BY ${column} LIMIT ${batchSize}`;
  const sweep = deleteFound(`sweep_${table}_${batchSize}`, table, {}, () => isFound);
  return {
    name: table,
    async removeBatch() {
      return (await runSweep(deps, sweep, {}))?.count === batchSize;
    },
  };
}

/**
 * Deletes the stale rows of a table that has no index to find them by: the column changes with every use, and an index on it would
 * prevent HOT updates. Reads a few pages a batch, from the first to the last.
 */
export function sweepPages(
  deps: Dependencies,
  { table, isStale }: { readonly table: string; readonly isStale: string },
): Sweep {
  const sweep = deleteFound(
    `sweep_${table}`,
    table,
    { from: tid, end: tid },
    (p) => `ctid >= ${p.from} AND ctid < ${p.end} AND ${isStale}`,
  );
  let firstPage = 0;
  return {
    name: table,
    async removeBatch() {
      const endPage = firstPage + pagesPerBatch;
      const row = await runSweep(deps, sweep, { from: `(${firstPage},0)`, end: `(${endPage},0)` });
      const isEnd = endPage >= (row?.pages ?? 0);
      firstPage = isEnd ? 0 : endPage;
      return !isEnd;
    },
  };
}

/** Skips rows that are locked: they are in use, or another server deletes them. */
function deleteFound<P extends Parameters>(
  name: string,
  table: string,
  parameters: P,
  isFound: (p: Placeholders<P>) => string,
) {
  return statement<{ count: number; pages: number }>(name)(
    parameters,
    (p) => `
    WITH swept AS (
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${table} WHERE ${isFound(p)} FOR UPDATE SKIP LOCKED
      ))
      RETURNING 1
    )
    SELECT count(*)::integer AS count,
      (pg_relation_size('${table}') / current_setting('block_size')::integer)::integer AS pages
    FROM swept`,
  );
}
