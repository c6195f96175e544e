import type { MigrationObject } from "@mikro-orm/core";
import type pg from "pg";

/** The database answers, and cannot be used as it is. The message says what it has to be. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = "UnsuitableDatabaseError";
}

/** The schema was made by migrations from before the first release, which no later version brings up to date. */
export class EarlierSchemaError extends Error {
  override readonly name = "EarlierSchemaError";
}

interface Properties {
  readonly version: string;
  readonly version_number: number;
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
  readonly encoding: string;
}

const properties = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS version_number,
    pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only')::boolean AS is_read_only,
    current_setting('server_encoding') AS encoding`;

/** Looks before anything is changed whether the database is what operations.md asks for. Throws `UnsuitableDatabaseError`. */
export async function checkDatabase(client: pg.Client): Promise<void> {
  const {
    rows: [found],
  } = await client.query<Properties>(properties);
  const problem = found && problemOf(found);
  if (problem !== undefined) {
    throw new UnsuitableDatabaseError(problem);
  }
}

/** What is wrong with a database; undefined if it will do. */
export function problemOf(found: Properties): string | undefined {
  if (found.version_number < 150_000) {
    return `it is PostgreSQL ${found.version}, and must be 15 or newer.`;
  }
  if (found.is_standby) {
    return "it is a standby, which is read-only: set the URL of the primary.";
  }
  if (found.is_read_only) {
    return "it is read-only: default_transaction_read_only is on, for the server, the database or the role.";
  }
  if (found.encoding !== "UTF8") {
    return `its encoding is ${found.encoding}, and must be UTF8.`;
  }
  return undefined;
}

/**
 * The first of all migrations tells schemas of this generation from earlier ones: throws `EarlierSchemaError` where others were run,
 * and not this one. Newer versions may have run some that are unknown here. Under the migration lock.
 */
export async function refuseEarlierSchema(client: pg.Client, [first]: readonly MigrationObject[]): Promise<void> {
  const table = await client.query("SELECT FROM pg_class WHERE oid = to_regclass('schema_migration')");
  if (table.rowCount === 0 || first === undefined) {
    return;
  }
  const { rows } = await client.query<{ name: string }>("SELECT name FROM schema_migration");
  if (rows.length > 0 && !rows.some(({ name }) => name === first.name)) {
    throw new EarlierSchemaError("its schema is from a version before the first release, which cannot be migrated");
  }
}
