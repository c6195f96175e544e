import { patienceMs, withClient } from "./connect.ts";
import { type ConnectionSecurity, describeSecurity, type PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";
import type { Queryable } from "./database.ts";
import { applySessionSettings } from "./session-settings.ts";
import { queryOf } from "./statement.ts";

/**
 * A connection for programs that look at a database and leave it as it is: no migration is run, and every statement is a transaction that
 * may only read. Errors are those of `pg`.
 */
export interface ReadingSession extends Queryable {
  /** Rows of a query of which nothing is known: of the catalogue, or on a schema of another version. Columns have their own names. */
  query<Row extends object>(text: string): Promise<Row[]>;
  readonly security: ConnectionSecurity;
}

/** A lock that another session holds is told by its error, before the answer would be too late. */
const begin = `BEGIN READ ONLY; SET LOCAL lock_timeout = ${patienceMs / 2}; SET LOCAL statement_timeout = ${patienceMs}`;

/** Throws `DatabaseConnectionError` if there is no connection. */
export function withReadingSession<T>(
  connection: PostgresConnection,
  purpose: string,
  work: (session: ReadingSession) => Promise<T>,
): Promise<T> {
  return withClient(purpose, connection, async (client) => {
    await applySessionSettings(client).catch((error: unknown) => {
      throw new DatabaseConnectionError(error, connection);
    });
    const reading = async <R>(read: () => Promise<R>): Promise<R> => {
      await client.query(begin);
      try {
        return await read();
      } finally {
        await client.query("ROLLBACK").catch(() => undefined);
      }
    };
    return work({
      security: describeSecurity(client, connection),
      run: (statement, values) =>
        reading(async () => {
          const bound = statement.bind(values);
          // Not prepared: it is run once.
          return bound.rowsOf(await client.query({ ...queryOf(bound), name: undefined }));
        }),
      query: <Row extends object>(text: string) => reading(async () => (await client.query<Row>(text)).rows),
    });
  });
}
