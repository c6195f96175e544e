import type { Queryable } from "../../database/database.ts";

/**
 * How long a used signature is remembered. It is accepted for ten minutes, from five before its time to five after it; the
 * rest is for servers whose clocks differ.
 */
const kept = "interval '15 minutes'";

const sweep = {
  name: "sweep_used_signatures",
  text: `
    WITH swept AS (
      DELETE FROM used_signature WHERE (workspace_id, nonce) IN (
        SELECT workspace_id, nonce FROM used_signature
        WHERE used_at <= (SELECT byond_now() - ${kept})
        ORDER BY used_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
      )
      RETURNING 1
    )
    SELECT count(*)::int AS count FROM swept`,
};

/** Forgets signatures whose time is over, `batchSize` in a statement. Returns how many. */
export async function sweepUsedSignatures(database: Queryable, batchSize = 500): Promise<number> {
  let total = 0;
  for (;;) {
    const [row] = await database.query<{ count: number }>(sweep, [batchSize]);
    const count = row?.count ?? 0;
    total += count;
    if (count < batchSize) {
      return total;
    }
  }
}
