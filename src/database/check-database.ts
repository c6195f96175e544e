import type { MigrationObject } from "@mikro-orm/core";
import type pg from "pg";

/** The database answers, and cannot be used as it is. The message says what it has to be. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = "UnsuitableDatabaseError";
  /** The setting that leads to it. */
  readonly setting: string;

  constructor(message: string, setting = "DATABASE_URL") {
    super(message);
    this.setting = setting;
  }
}

/** The schema was made by migrations from before the first release, which no later version brings up to date. */
export class EarlierSchemaError extends Error {
  override readonly name = "EarlierSchemaError";
}

export interface DatabaseProperties {
  readonly version: string;
  readonly version_number: number;
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
  readonly encoding: string;
}

/** Of a row of `DatabaseProperties`. */
export const databaseProperties = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS version_number,
    pg_is_in_recovery() AS is_standby, current_setting('default_transaction_read_only')::boolean AS is_read_only,
    current_setting('server_encoding') AS encoding`;

/** Looks before anything is changed whether the database is what operations.md asks for. Throws `UnsuitableDatabaseError`. */
export async function checkDatabase(client: pg.Client, setting: string): Promise<void> {
  const {
    rows: [found],
  } = await client.query<DatabaseProperties>(databaseProperties);
  const problem = found && problemOf(found);
  if (problem !== undefined) {
    throw new UnsuitableDatabaseError(problem, setting);
  }
}

/** What is wrong with a database; undefined if it will do. */
export function problemOf(found: DatabaseProperties): string | undefined {
  if (found.version_number < 150_000) {
    return `it is PostgreSQL ${found.version}, and must be 15 or newer: upgrade it.`;
  }
  if (found.is_standby) {
    return "it is a standby, which is read-only: set the URL of the primary.";
  }
  if (found.is_read_only) {
    return "it is read-only, since default_transaction_read_only is on: set it to off, for the server, the database or the role.";
  }
  if (found.encoding !== "UTF8") {
    return `its encoding is ${found.encoding}, and must be UTF8: create another one with ENCODING 'UTF8' TEMPLATE template0.`;
  }
  return undefined;
}

interface Applied {
  readonly names: readonly string[];
  readonly owner: string;
  readonly may_migrate: boolean;
}

/**
 * Reads which migrations have run, under the migration lock. Returns whether any are left to run. Throws `UnsuitableDatabaseError` if
 * only another role may run them, and what `refuseEarlierSchema` throws.
 */
export async function isBehind(
  client: pg.Client,
  migrations: readonly MigrationObject[],
  setting: string,
): Promise<boolean> {
  const table = await client.query("SELECT FROM pg_class WHERE oid = to_regclass('schema_migration')");
  if (table.rowCount === 0) {
    return true;
  }
  const { rows } = await client.query<Applied>(`
    SELECT ARRAY(SELECT name::text FROM schema_migration) AS names,
      relowner::regrole::text AS owner, pg_has_role(relowner, 'USAGE') AS may_migrate
    FROM pg_class WHERE oid = to_regclass('schema_migration')`);
  const { names = [], owner, may_migrate } = rows[0] ?? {};
  refuseEarlierSchema(names, migrations);
  const pending = migrations.map(({ name }) => name).filter((name) => !names.includes(name));
  if (pending.length > 0 && may_migrate !== true) {
    throw new UnsuitableDatabaseError(
      `its schema lacks ${pending.length} migrations, the first of which is ${pending[0]}, and only ${owner} may run them: set DATABASE_MIGRATION_URL to its URL, or run byond migrate with it.`,
      setting,
    );
  }
  return pending.length > 0;
}

/**
 * The first of all migrations tells schemas of this generation from earlier ones: throws `EarlierSchemaError` where others were run,
 * and not this one. Newer versions may have run some that are unknown here.
 */
function refuseEarlierSchema(applied: readonly string[], [first]: readonly MigrationObject[]): void {
  if (applied.length > 0 && first !== undefined && !applied.includes(first.name)) {
    throw new EarlierSchemaError("its schema is from a version before the first release, which cannot be migrated");
  }
}
