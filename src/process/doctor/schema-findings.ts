import type { Schema } from "../../database/migrate.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Finding } from "../../finding.ts";

/** Whether the tables are those of this program. `older`: a start migrates them. `newer`: a newer program has. `hidden`: the role may not read. */
export type SchemaState = "none" | "current" | "older" | "newer" | "foreign" | "hidden";

/** What is known of the tables, and of what the server's role may do with them. `migratesItself`: no other role migrates for it. */
export async function schemaFindings(
  session: ReadingSession,
  schema: Schema,
  migratesItself = true,
): Promise<{ readonly state: SchemaState; readonly findings: readonly Finding[] }> {
  const run = await migrationsOf(session);
  if (run === undefined) {
    return { state: "hidden", findings: await rightFindings(session, schema, false) };
  }
  const names = schema.migrations.map(({ name }) => name);
  const pending = names.filter((name) => !run.includes(name));
  const unknown = run.filter((name) => !names.includes(name));
  const state = stateOf(run, pending, unknown, names);
  return {
    state,
    findings: [
      migrationFinding(state, { run, pending, unknown }),
      ...(state === "foreign"
        ? []
        : await rightFindings(session, schema, migratesItself && (state === "none" || state === "older"))),
    ],
  };
}

/** The names of those that have run. Undefined: the role may not read them. */
async function migrationsOf(session: ReadingSession): Promise<string[] | undefined> {
  const [table] = await session.query<{ is_readable: boolean | null }>(
    "SELECT has_table_privilege(to_regclass('schema_migration'), 'SELECT') AS is_readable",
  );
  if (table?.is_readable !== true) {
    return table?.is_readable === false ? undefined : [];
  }
  const rows = await session.query<{ name: string }>("SELECT name FROM schema_migration");
  return rows.map(({ name }) => name);
}

function stateOf(
  run: readonly string[],
  pending: readonly string[],
  unknown: readonly string[],
  [first = ""]: readonly string[],
): Exclude<SchemaState, "hidden"> {
  if (run.length === 0) {
    return "none";
  }
  // As `refuseEarlierSchema` tells them.
  if (!run.includes(first)) {
    return "foreign";
  }
  return unknown.length > 0 ? "newer" : pending.length > 0 ? "older" : "current";
}

function migrationFinding(
  state: Exclude<SchemaState, "hidden">,
  { run, pending, unknown }: Readonly<Record<"run" | "pending" | "unknown", readonly string[]>>,
): Finding {
  const about = "migrations";
  switch (state) {
    case "none":
      return { about, verdict: "ok", found: "the database has no tables yet: the first start makes them" };
    case "current":
      return { about, verdict: "ok", found: `all ${run.length} have run` };
    case "older":
      return {
        about,
        verdict: "warning",
        found: `${pending.length} of this version have not run: ${pending.join(", ")}`,
        advice: "The next start of this version runs them, and so does byond migrate. Read CHANGELOG.md first",
      };
    case "newer":
      return {
        about,
        verdict: "warning",
        found: `a newer version has run ${unknown.join(", ")}`,
        advice: "Finish the upgrade: start that version here too",
      };
    case "foreign":
      return {
        about,
        verdict: "fault",
        found: "the schema is from a version before the first release, which cannot be migrated",
        advice: "Use an empty database",
      };
  }
}

interface Rights {
  readonly role: string;
  readonly schema: string | null;
  readonly may_create: boolean | null;
  readonly lacking: string[];
  readonly foreign: string[];
}

/** The server's role reads and writes every table. To migrate, it has to own them. */
async function rightFindings(session: ReadingSession, { entities }: Schema, mustMigrate: boolean): Promise<Finding[]> {
  const names = entities.map(({ meta }) => `'${meta.tableName}'`).join(", ");
  const [rights] = await session.query<Rights>(`
    WITH tables AS (
      SELECT oid, relname::text AS name, relowner FROM pg_class
      WHERE relkind IN ('r', 'p') AND relname IN (${names}) AND pg_table_is_visible(oid)
    )
    SELECT current_user AS role, current_schema() AS schema, has_schema_privilege(current_schema(), 'CREATE') AS may_create,
      ARRAY(
        SELECT name FROM tables
        WHERE NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
          AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
        ORDER BY name
      ) AS lacking,
      ARRAY(SELECT name FROM tables WHERE NOT pg_has_role(relowner, 'USAGE') ORDER BY name) AS foreign`);
  return rights === undefined ? [] : [judgeRights(rights, mustMigrate)];
}

function judgeRights({ role, schema, may_create, lacking, foreign }: Rights, mustMigrate: boolean): Finding {
  const about = "rights";
  if (schema === null) {
    return {
      about,
      verdict: "fault",
      found: `no schema of the search_path of the role ${role} exists, or it may use none`,
      advice: `GRANT USAGE, CREATE ON SCHEMA public TO ${role}`,
    };
  }
  if (lacking.length > 0) {
    return {
      about,
      verdict: "fault",
      found: `the role ${role} may not read and write ${listed(lacking)}`,
      advice: `Run what byond grants --role ${role} prints`,
    };
  }
  if (mustMigrate && may_create !== true) {
    return {
      about,
      verdict: "fault",
      found: `the role ${role} may not create tables in the schema ${schema}, which migrations do`,
      advice: `GRANT CREATE ON SCHEMA ${schema} TO ${role}`,
    };
  }
  if (mustMigrate && foreign.length > 0) {
    return {
      about,
      verdict: "fault",
      found: `the role ${role} does not own ${listed(foreign)}, which migrations change`,
      advice: `Make ${role} the owner, or a member of the owner's role, or migrate as the owner (byond migrate)`,
    };
  }
  return { about, verdict: "ok", found: `the role ${role} may do what the server does` };
}

function listed(tables: readonly string[]): string {
  const shown = tables.slice(0, 3).join(", ");
  return tables.length > 3 ? `${shown} and ${tables.length - 3} other tables` : shown;
}
