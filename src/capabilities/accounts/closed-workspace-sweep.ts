import type { Database } from "../../database/database.ts";
import { statement } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { runSweep } from "../../database/table-sweeps.ts";
import { minutesUntilErased } from "./accounts.policy.ts";

/** Rows of each table a batch. */
const batchSize = 500;

/** A message that was on its way when the account ended is recorded by then: nothing is written for the workspace any more. */
const quietTime = `interval '${minutesUntilErased} minutes'`;

/**
 * Every table that holds something of a workspace, and the rest of the index that begins with it: without an order, any index
 * that has the workspace somewhere will do for the planner. Secrets of keys go with their keys. The tables come in the order in
 * which `verificationSweep` takes its rows. Those of plugged-in capabilities come after them.
 */
const ownOrders: Readonly<Record<string, string>> = {
  verification: "id",
  delivery_attempt: "subject_id, outbox_id, claim",
  outbox: "id",
  idempotency: "realm, key",
  throttle: "key",
  quota: "key",
  used_signature: "nonce",
  session: "id",
  api_key: "created_at DESC, id DESC",
};

/** What is found decides whether the workspace is empty; of it, rows that somebody holds are left for the next time. */
const removeOf = ([table, order]: readonly [string, string]) => `
  found_${table} AS MATERIALIZED (
    SELECT ctid AS row FROM ${table} WHERE workspace_id = (SELECT id FROM closed) ORDER BY ${order} LIMIT ${batchSize}
  ), removed_${table} AS (
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE ctid = ANY (ARRAY(SELECT row FROM found_${table})) FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
  )`;

type Orders = Readonly<Record<string, string>>;

const every = (orders: Orders, condition: (table: string) => string, operator: "AND" | "OR") =>
  Object.keys(orders).map(condition).join(` ${operator} `);

/**
 * A workspace is one server's while its batch lasts; another one takes the next. It goes itself once nothing is found of it.
 * One with a user was shut down by somebody else than us.
 */
const sweepOf = (orders: Orders) =>
  statement<{ hasRemoved: boolean }>("sweep_closed_workspaces")(
    {},
    () => `
    WITH closed AS MATERIALIZED (
      SELECT id FROM workspace
      WHERE deactivated_at <= (SELECT byond_now() - ${quietTime})
        AND NOT EXISTS (SELECT FROM account WHERE account.workspace_id = workspace.id)
      ORDER BY deactivated_at LIMIT 1
      FOR UPDATE SKIP LOCKED
    ), ${Object.entries(orders).map(removeOf).join(", ")}, removed AS (
      DELETE FROM workspace USING closed
      WHERE workspace.id = closed.id AND ${every(orders, (table) => `NOT EXISTS (SELECT FROM found_${table})`, "AND")}
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM removed) OR ${every(orders, (table) => `EXISTS (SELECT FROM removed_${table})`, "OR")} AS has_removed`,
  );

/**
 * Removes all that is left of accounts that ended: their keys, and their verifications with the recipients of these. `others` are
 * further tables, see `Capability.workspaceTables`.
 */
export function closedWorkspaceSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  others: Orders = {},
): Sweep {
  const sweep = sweepOf({ ...ownOrders, ...others });
  return {
    name: "closed workspace",
    async removeBatch() {
      return (await runSweep(deps, sweep, {}))?.hasRemoved === true;
    },
  };
}
