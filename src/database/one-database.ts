import { UnsuitableDatabaseError } from "./check-database.ts";
import type { DatabaseRoutes } from "./check-routes.ts";
import { withClient } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";

/**
 * The process of PostgreSQL, and the database in it. Every role may ask, also through a pooler, and each is told the same: a moment as a text
 * would depend on `timezone` and `datestyle` of the session.
 */
const identity = `
  SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || oid AS id
  FROM pg_database WHERE datname = current_database()`;

/**
 * Looks, before anything is written, whether all routes lead to one database: a schema must not be made in another one than is served. Throws
 * `UnsuitableDatabaseError`, and `DatabaseConnectionError` if a route does not connect.
 */
export async function requireOneDatabase({ connection, direct, migrator }: DatabaseRoutes): Promise<void> {
  const others = [direct, migrator].filter((route) => route !== undefined);
  if (others.length === 0) {
    return;
  }
  const here = await identityOf(connection).catch(unlessClosed);
  for (const other of others) {
    const there = await identityOf(other);
    if (here !== undefined && there !== here) {
      throw new UnsuitableDatabaseError(
        `it leads to ${placeOf(other)}, and ${connection.setting} to ${placeOf(connection)}, which is another database: correct one of them.`,
        other.setting,
      );
    }
  }
}

function identityOf(connection: PostgresConnection): Promise<string | undefined> {
  return withClient("start", connection, async (client) => (await client.query<{ id: string }>(identity)).rows[0]?.id);
}

/** A role may be given CONNECT only after the first migration, by what `byond grants` prints. */
function unlessClosed(error: unknown): undefined {
  if (error instanceof DatabaseConnectionError && error.codes.includes("42501")) {
    return undefined;
  }
  throw error;
}

function placeOf({ host, port, database }: PostgresConnection): string {
  return `${database} at ${host.includes(":") ? `[${host}]` : host}:${port}`;
}
