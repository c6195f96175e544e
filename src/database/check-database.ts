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
