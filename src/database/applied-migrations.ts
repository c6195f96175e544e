import pg from "pg";
import { UnsuitableDatabaseError } from "./check-database.ts";
import type { Schema } from "./schema.ts";

/** The schema was made by migrations from before the first release, which no later version brings up to date. */
export class EarlierSchemaError extends Error {
  override readonly name = "EarlierSchemaError";
}

/** Runs a query of the catalogue, each in a transaction of its own. Errors are those of `pg`. */
export type RunQuery = <Row extends object>(text: string) => Promise<readonly Row[]>;

/** Which migrations have run, and what the role of this connection may do about those that have not. */
export interface FoundSchema extends Catalogue {
  readonly applied: readonly string[];
  /** Of this version, and not applied. */
  readonly pending: readonly string[];
  /** Applied by a newer version. */
  readonly unknown: readonly string[];
  /** Whether `applied` begins as those of every version since the first release. */
  readonly isOurs: boolean;
}

/** Names are quoted where SQL needs it. */
interface Catalogue {
  readonly role: string;
  /** Where tables are made. Null: the search_path has no schema that exists and may be used. */
  readonly schema: string | null;
  readonly search_path: string;
  readonly may_create: boolean;
  /** Of `schema_migration`; null: the role sees no such table. */
  readonly owner: string | null;
  readonly is_owner: boolean;
  readonly is_readable: boolean;
  /** Where `schema_migration` is, whether the role sees it or not. */
  readonly homes: readonly string[];
  /** Of the tables of this version: those that are in `schema`, and those of roles that this one is not. */
  readonly existing: readonly string[];
  readonly foreign: readonly string[];
}

const readCatalogue = (tables: string) => `
  SELECT quote_ident(current_user) AS role, quote_ident(current_schema()) AS schema,
    current_setting('search_path') AS search_path,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
    known.relowner::regrole::text AS owner,
    coalesce(pg_has_role(known.relowner, 'USAGE'), false) AS is_owner,
    coalesce(has_table_privilege(known.oid, 'SELECT'), false) AS is_readable,
    ARRAY(
      SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'schema_migration' AND relkind = 'r' ORDER BY 1
    ) AS homes,
    ARRAY(
      SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = current_schema() AND relname IN (${tables}) ORDER BY relname
    ) AS existing,
    ARRAY(
      SELECT relname::text FROM pg_class
      WHERE relname IN (${tables}) AND pg_table_is_visible(oid) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY relname
    ) AS foreign
  FROM (SELECT to_regclass('schema_migration') AS oid) AS named LEFT JOIN pg_class AS known ON known.oid = named.oid`;

/** Throws `UnsuitableDatabaseError` if another session keeps what it reads locked. */
export async function readSchema(
  query: RunQuery,
  { entities, migrations }: Schema,
  setting: string,
): Promise<FoundSchema> {
  const tables = entities.map(({ meta }) => pg.escapeLiteral(meta.tableName)).join(", ");
  const [catalogue] = await query<Catalogue>(readCatalogue(tables));
  if (catalogue === undefined) {
    throw new TypeError("the catalogue answers with one row");
  }
  const rows = catalogue.is_readable ? await readNames(query, setting) : [];
  const applied = rows.map(({ name }) => name);
  const names = migrations.map(({ name }) => name);
  return {
    ...catalogue,
    applied,
    pending: names.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !names.includes(name)),
    // The first of all migrations tells schemas of this generation from earlier ones.
    isOurs: applied.length === 0 || names[0] === undefined || applied.includes(names[0]),
  };
}

async function readNames(query: RunQuery, setting: string): Promise<readonly { readonly name: string }[]> {
  try {
    return await query<{ name: string }>("SELECT name::text FROM schema_migration");
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === "55P03") {
      const [holder] = await query<{ description: string }>(holderOfTable);
      const by = holder === undefined ? "" : ` by the session ${holder.description}`;
      throw new UnsuitableDatabaseError(
        `schema_migration is locked${by}: let that transaction end, or end it with pg_terminate_backend.`,
        setting,
      );
    }
    throw error;
  }
}

/** Others see neither the state nor the age of a session, but its process, role and name. */
const holderOfTable = `
  SELECT concat_ws(', ', 'with the pid ' || pid, 'of the role ' || usename, nullif(application_name, '')) AS description
  FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'relation' AND granted AND mode = 'AccessExclusiveLock' AND relation = to_regclass('schema_migration')
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/**
 * Whether any migrations are left to run. Throws, before anything is changed, `EarlierSchemaError`, or `UnsuitableDatabaseError` if they cannot
 * be run.
 */
export function requireMigratable(found: FoundSchema, setting: string): boolean {
  if (!found.isOurs) {
    throw new EarlierSchemaError("its schema is from a version before the first release, which cannot be migrated");
  }
  const problem = problemOf(found);
  if (problem !== undefined) {
    throw new UnsuitableDatabaseError(`${problem}.`, setting);
  }
  return found.pending.length > 0;
}

/** What keeps the role from running what is left to run, and what to do. */
function problemOf(found: FoundSchema): string | undefined {
  const { role, schema, owner, applied, pending, existing, foreign } = found;
  const isAbsent = owner === null;
  if (isAbsent && schema === null) {
    return problemOfSearchPath(found);
  }
  if (!isAbsent && !found.is_readable) {
    return `the role ${role} may not read schema_migration: run what byond grants --role ${role} prints`;
  }
  if (pending.length === 0) {
    return undefined;
  }
  if (!isAbsent && !found.is_owner) {
    const count = pending.length === 1 ? "1 migration" : `${pending.length} migrations`;
    return `its schema lacks ${count}, the first of which is ${pending[0]}, and only ${owner} may run them: set DATABASE_MIGRATION_URL to its URL, or run byond migrate with it`;
  }
  if (applied.length === 0 && existing.length > 0) {
    return `tables of other programs, or of a part of a backup, have the names of ours, and schema_migration knows of none (${listed(existing)} in the schema ${schema}): use an empty database, or restore a whole backup into one`;
  }
  if (!found.may_create) {
    return `the role ${role} may not create tables in the schema ${schema}, which migrations do: run GRANT CREATE ON SCHEMA ${schema} TO ${role}, or set DATABASE_MIGRATION_URL to the URL of a role that may`;
  }
  return foreign.length > 0
    ? `the role ${role} does not own ${listed(foreign)}, which migrations change: make it the owner, or a member of the owner's role, or set DATABASE_MIGRATION_URL to the owner's URL`
    : undefined;
}

function problemOfSearchPath({ role, search_path, homes }: FoundSchema): string {
  const problem = `the search_path of the role ${role} (${search_path || "empty"}) has no schema that exists and that it may use`;
  if (homes.length === 0) {
    return `${problem}: run GRANT USAGE, CREATE ON SCHEMA public TO ${role}, or correct the search_path of the role, the database or the URL's options`;
  }
  return `${problem}, and schema_migration is in ${homes.join(" and in ")}: run what byond grants --role ${role} prints, or correct the search_path of the role, the database or the URL's options`;
}

/** The first three, and how many more there are. */
export function listed(tables: readonly string[]): string {
  const shown = tables.slice(0, 3).join(", ");
  return tables.length > 3 ? `${shown} and ${tables.length - 3} more` : shown;
}
