import pg from "pg";
import { sessionSettings } from "./session-settings.ts";

/** SQL of our objects: those of the role that has run the migrations, in the same schema, and not of an extension. */
const ours = (catalogue: "pg_class" | "pg_proc", prefix: "rel" | "pro") => `
  FROM pg_class AS known
  JOIN ${catalogue} AS object ON object.${prefix}namespace = known.relnamespace AND object.${prefix}owner = known.relowner
  WHERE known.oid = to_regclass('schema_migration') AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = '${catalogue}'::regclass AND objid = object.oid AND deptype = 'e'
  )`;
const ourRelations = ours("pg_class", "rel");
const ourRoutines = ours("pg_proc", "pro");

/** What servers do with the tables. Only migrations write `schema_migration`. */
const tableRights = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const;

interface Catalogue {
  readonly database: string;
  readonly schema: string | null;
  readonly owner: string | null;
  readonly tables: readonly string[];
  readonly sequences: readonly string[];
  readonly routines: readonly string[];
  readonly hasRole: boolean;
}

const readCatalogue = (role: string) => `
  SELECT
    quote_ident(current_database()) AS database,
    (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('schema_migration')) AS schema,
    (SELECT relowner::regrole::text FROM pg_class WHERE oid = to_regclass('schema_migration')) AS owner,
    ARRAY(
      SELECT object.oid::regclass::text ${ourRelations} AND object.relkind IN ('r', 'p') AND object.oid <> known.oid
      ORDER BY object.relname
    ) AS tables,
    ARRAY(
      SELECT object.oid::regclass::text ${ourRelations} AND object.relkind = 'S' ORDER BY object.relname
    ) AS sequences,
    ARRAY(SELECT object.oid::regprocedure::text ${ourRoutines} ORDER BY object.oid::regprocedure::text) AS routines,
    EXISTS (SELECT FROM pg_roles WHERE rolname = ${pg.escapeLiteral(role)}) AS "hasRole"`;

/**
 * The SQL that gives a role the rights that servers need, and no others: to read and write rows. It names every object of the schema, and
 * holds for those of later migrations as well. `pooled`: also the settings of its sessions, where a pooler opens them. Returns a
 * problem if there is nothing to grant, or nobody to grant it to.
 */
export async function grantScript(
  client: pg.ClientBase,
  role: string,
  { pooled }: { readonly pooled: boolean },
): Promise<{ readonly script: string } | { readonly problem: string }> {
  const { rows } = await client.query<Catalogue>(readCatalogue(role));
  const [found] = rows;
  if (!found?.schema || !found.owner) {
    return { problem: "The database has no tables yet. Run byond migrate first." };
  }
  const to = pg.escapeIdentifier(role);
  if (!found.hasRole) {
    return { problem: `PostgreSQL has no such role. Create it first: CREATE ROLE ${to} LOGIN PASSWORD '…'` };
  }
  const { database, schema, owner, tables, sequences, routines } = found;
  const rights = tableRights.join(", ");
  const later = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} GRANT`;
  const settings = Object.entries(sessionSettings).map(
    ([name, value]) => `ALTER ROLE ${to} IN DATABASE ${database} SET ${name} = ${pg.escapeLiteral(value)};`,
  );
  return {
    script: `-- What a server of Byond needs as the role ${to}. Run it as ${owner}, or as a superuser.
BEGIN;
SET LOCAL search_path = ${schema};
GRANT CONNECT ON DATABASE ${database} TO ${to};
GRANT USAGE ON SCHEMA ${schema} TO ${to};
GRANT SELECT ON schema_migration TO ${to};
${tables.map((name) => `GRANT ${rights} ON ${name} TO ${to};`).join("\n")}
${sequences.map((name) => `GRANT USAGE ON SEQUENCE ${name} TO ${to};`).join("\n")}
${routines.map((signature) => `GRANT EXECUTE ON ROUTINE ${signature} TO ${to};`).join("\n")}
-- What later migrations create.
${later} ${rights} ON TABLES TO ${to};
${later} USAGE ON SEQUENCES TO ${to};
${later} EXECUTE ON ROUTINES TO ${to};
${pooled ? `-- For sessions that a pooler opens. It takes a superuser, or the role itself. Then RECONNECT in the pooler's console.\n${settings.join("\n")}\n` : ""}COMMIT;
`,
  };
}

/** What `findMissingRights` found. */
interface Rights {
  readonly isMigrated: boolean;
  readonly missing: readonly string[];
}

const lacks = (rights: readonly string[]) =>
  `NOT (${rights.map((right) => `has_table_privilege(object.oid, '${right}')`).join(" AND ")})`;

/** Of a sequence, one of two rights is enough, such as that of `pg_write_all_data`. */
const readRights = `
  SELECT
    to_regclass('schema_migration') IS NOT NULL AS "isMigrated",
    ARRAY(
      SELECT object.relname::text ${ourRelations} AND CASE
        WHEN object.oid = known.oid THEN ${lacks(["SELECT"])}
        WHEN object.relkind IN ('r', 'p') THEN ${lacks(tableRights)}
        WHEN object.relkind = 'S' THEN NOT has_sequence_privilege(object.oid, 'USAGE, UPDATE')
        ELSE false
      END
      UNION ALL
      SELECT object.oid::regprocedure::text ${ourRoutines} AND NOT has_function_privilege(object.oid, 'EXECUTE')
    ) AS missing`;

/** The objects of the schema for which the role of this connection lacks rights. Undefined: it sees no schema of ours. */
export async function findMissingRights(client: pg.ClientBase): Promise<readonly string[] | undefined> {
  const { rows } = await client.query<Rights>(readRights);
  return rows[0]?.isMigrated === true ? rows[0].missing : undefined;
}
