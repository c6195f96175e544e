import type { Database, Queryable } from "../database/database.ts";

interface RowKey {
  readonly workspaceId: string;
  readonly id: string;
}

/** Small, so that no call waits noticeably for a row. */
export const resealBatchSize = 200;

/**
 * Reseals rows in the order of their primary key, a transaction for each batch: `resealBatch` locks the next `resealBatchSize` rows after a key,
 * writes them, and returns those that it locked.
 */
export async function resealInBatches(
  database: Pick<Database, "transaction">,
  onProgress: (rows: number) => void,
  resealBatch: (
    transaction: Queryable,
    after: { readonly afterWorkspaceId: string; readonly afterId: string },
  ) => Promise<readonly RowKey[]>,
): Promise<void> {
  let after = { afterWorkspaceId: "", afterId: "" };
  for (;;) {
    const rows = await database.transaction((transaction) => resealBatch(transaction, after));
    onProgress(rows.length);
    const last = rows.at(-1);
    if (last === undefined || rows.length < resealBatchSize) {
      return;
    }
    after = { afterWorkspaceId: last.workspaceId, afterId: last.id };
  }
}
