import type { WorkspaceTables } from "../../capability.ts";
import type { Database } from "../../database/database.ts";
import { statement } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { runSweep } from "../../database/table-sweeps.ts";
import { minutesUntilErased } from "./accounts.policy.ts";

/** Rows of each table a batch. */
const batchSize = 500;

/** By then a message that was being sent when the account ended is recorded: nothing more is written for the workspace. */
const quietTime = `interval '${minutesUntilErased} minutes'`;

/**
 * Without the order of an index that begins with the workspace, the planner may take any index that has the workspace somewhere.
 * What is found decides whether the workspace is empty; rows that another transaction has locked are left for the next batch.
 */
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

const every = (tables: Orders, condition: (table: string) => string, operator: "AND" | "OR") =>
  Object.keys(tables).map(condition).join(` ${operator} `);

/**
 * A batch locks its workspace: another server takes the next one. The workspace itself is deleted when nothing is found of it.
 * A closed workspace that has an account was closed by the operator, and is kept.
 */
const sweepOf = (tables: Orders) =>
  statement<{ hasRemoved: boolean }>("sweep_closed_workspaces")(
    {},
    () => `
    WITH closed AS MATERIALIZED (
      SELECT id FROM workspace
      WHERE deactivated_at <= (SELECT byond_now() - ${quietTime})
        AND NOT EXISTS (SELECT FROM account WHERE account.workspace_id = workspace.id)
      ORDER BY deactivated_at LIMIT 1
      FOR UPDATE SKIP LOCKED
    ), ${Object.entries(tables).map(removeOf).join(", ")}, removed AS (
      DELETE FROM workspace USING closed
      WHERE workspace.id = closed.id AND ${every(tables, (table) => `NOT EXISTS (SELECT FROM found_${table})`, "AND")}
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM removed) OR ${every(tables, (table) => `EXISTS (SELECT FROM removed_${table})`, "OR")} AS has_removed`,
  );

/** Removes all that is left of accounts that ended: of every table in `tables`, and their workspaces. */
export function closedWorkspaceSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  tables: WorkspaceTables,
): Sweep {
  const swept = Object.entries(tables).flatMap(([table, order]) => (order === null ? [] : [[table, order] as const]));
  const sweep = sweepOf(Object.fromEntries(swept));
  return {
    name: "closed workspace",
    async removeBatch() {
      return (await runSweep(deps, sweep, {}))?.hasRemoved === true;
    },
  };
}
