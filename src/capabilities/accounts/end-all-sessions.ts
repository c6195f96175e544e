import type { Database } from "../../database/database.ts";
import { integer, statement } from "../../database/statement.ts";

const batchSize = 10_000;

const endBatch = statement<{ count: number }>("end_all_sessions")(
  { limit: integer },
  (p) => `
    WITH ended AS (
      DELETE FROM session WHERE ctid = ANY (ARRAY(SELECT ctid FROM session LIMIT ${p.limit})) RETURNING 1
    )
    SELECT count(*)::integer AS count FROM ended`,
);

/** Ends every session of every account, while no server runs that could have one in memory. Returns how many there were. */
export async function endAllSessions(database: Pick<Database, "transaction">): Promise<number> {
  for (let total = 0; ; ) {
    const [batch] = await database.transaction((transaction) => transaction.run(endBatch, { limit: batchSize }));
    total += batch?.count ?? 0;
    if ((batch?.count ?? 0) < batchSize) {
      return total;
    }
  }
}
