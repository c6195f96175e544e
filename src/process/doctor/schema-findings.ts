import { type FoundSchema, readSchema, requireMigratable } from "../../database/applied-migrations.ts";
import { type DatabaseRoutes, requireRights } from "../../database/check-routes.ts";
import { withClient } from "../../database/connect.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Schema } from "../../database/schema.ts";
import type { Finding } from "../../finding.ts";
import { databaseFault } from "./route-findings.ts";

/**
 * Which migrations have run, and whether a start may run the others, judged by what the start itself asks. `session`: of the role that migrates.
 * Without `found`, nothing more can be said.
 */
export async function migrationFinding(
  session: Pick<ReadingSession, "query">,
  schema: Schema,
  setting: string,
): Promise<{ readonly found?: FoundSchema; readonly finding: Finding }> {
  const about = "migrations";
  try {
    const found = await readSchema(session.query, schema, setting);
    requireMigratable(found, setting);
    return { found, finding: { about, ...stateOf(found) } };
  } catch (error) {
    return { finding: { ...databaseFault(error, setting), about } };
  }
}

function stateOf({ applied, pending, unknown }: FoundSchema): Omit<Finding, "about"> {
  if (applied.length === 0) {
    return { verdict: "ok", found: "the database has no tables yet: the first start makes them" };
  }
  const newer = `a newer version has run ${unknown.join(", ")}`;
  if (pending.length === 0) {
    return unknown.length === 0
      ? { verdict: "ok", found: `all ${applied.length} have run` }
      : { verdict: "warning", found: newer, advice: "Finish the upgrade: start that version here too" };
  }
  const lacking = `${pending.length} of this version have not run: ${pending.join(", ")}`;
  const advice = "The next start of this version runs them, and so does byond migrate. Read CHANGELOG.md first";
  return unknown.length === 0
    ? { verdict: "warning", found: lacking, advice }
    : { verdict: "warning", found: `${lacking}; ${newer}`, advice: `${advice}. Then finish the upgrade` };
}

/** Whether the role of calls may do what the server does, judged as a start does. For a schema that is there. */
export async function rightFinding(routes: DatabaseRoutes): Promise<Finding> {
  const about = "rights";
  const { connection } = routes;
  try {
    await withClient("doctor", connection, (client) => requireRights(client, routes));
    return { about, verdict: "ok", found: `the role ${connection.user} may do what the server does` };
  } catch (error) {
    return { ...databaseFault(error, connection.setting), about };
  }
}
