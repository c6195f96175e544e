import type pg from "pg";

/** The database answers, and cannot be used as it is. The message says what it has to be. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = "UnsuitableDatabaseError";
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
    return "it is a standby, which is read-only: name the primary.";
  }
  if (found.is_read_only) {
    return "it is read-only: default_transaction_read_only is on, for the server, the database or the role.";
  }
  if (found.encoding !== "UTF8") {
    return `its encoding is ${found.encoding}, and must be UTF8.`;
  }
  return undefined;
}
