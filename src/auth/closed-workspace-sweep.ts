import type { Database } from "../database/database.ts";
import { runSweep } from "../database/table-sweeps.ts";
import type { Sweep } from "../sweeper.ts";

/** Rows of each table a batch. */
const batchSize = 500;

/** A message that was on its way when the account ended is recorded by then: nothing is written for the workspace any more. */
const quietTime = "interval '10 minutes'";

/** Every table that holds something of a workspace. Secrets of keys go with their keys. */
const tables = [
  "verification",
  "delivery_attempt",
  "outbox",
  "idempotency",
  "throttle",
  "quota",
  "used_signature",
  "session",
  "api_key",
];

const removeOf = (table: string) => `
  removed_${table} AS (
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE workspace_id = (SELECT id FROM closed) LIMIT ${batchSize}
    ))
    RETURNING 1
  )`;

/** The workspace itself goes when nothing else is left of it. One with a user was shut down by somebody else than us. */
const sweep = {
  name: "sweep_closed_workspaces",
  text: `
    WITH closed AS MATERIALIZED (
      SELECT id FROM workspace
      WHERE deactivated_at <= (SELECT byond_now() - ${quietTime})
        AND NOT EXISTS (SELECT FROM account WHERE account.workspace_id = workspace.id)
      ORDER BY deactivated_at LIMIT 1
    ), ${tables.map(removeOf).join(", ")}, removed AS (
      DELETE FROM workspace USING closed
      WHERE workspace.id = closed.id AND ${tables.map((table) => `NOT EXISTS (SELECT FROM removed_${table})`).join(" AND ")}
    )
    SELECT EXISTS (SELECT FROM closed) AS is_found`,
};

/** Removes all that is left of accounts that ended: their keys, and their verifications with the recipients of these. */
export function closedWorkspaceSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return {
    name: "closed workspace",
    async removeBatch() {
      return (await runSweep<{ is_found: boolean }>(deps, sweep, []))?.is_found === true;
    },
  };
}
