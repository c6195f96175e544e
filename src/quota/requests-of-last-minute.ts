import type { Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";

/** The row's clock and the buckets that count now, as `quota_reserve` reads them. */
const readCharged = statement<{ charged: number }>("read_quota_charged")(
  { workspaceId: text, key: text },
  (p) => `
    SELECT coalesce(sum(count), 0)::integer AS charged
    FROM quota, (SELECT byond_now() AS reading) AS clock,
      LATERAL (SELECT CASE
        WHEN taken_at > reading + interval '70 seconds' THEN 0
        ELSE greatest(0, floor(extract(epoch FROM reading))::bigint - floor(extract(epoch FROM taken_at))::bigint)
      END AS age) AS place,
      LATERAL unnest(counts[1 + least(70, age)::integer : 70]) AS count
    WHERE workspace_id = ${p.workspaceId} AND key = ${p.key}`,
);

/**
 * What counts against a limit now, of all servers together: the requests of the last 60 seconds, and the tokens that servers hold for
 * requests to come. 0 if nothing was counted.
 */
export async function requestsOfLastMinute(
  { database }: { readonly database: Queryable },
  subject: { readonly workspaceId: string; readonly key: string },
): Promise<number> {
  const [row] = await database.run(readCharged, subject);
  return row?.charged ?? 0;
}
