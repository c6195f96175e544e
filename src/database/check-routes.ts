import type pg from "pg";
import { listed } from "./applied-migrations.ts";
import { UnsuitableDatabaseError } from "./check-database.ts";
import { withClient } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";
import { findMissingRights } from "./grants.ts";
import { findPooler } from "./pooler.ts";
import { findMissingSettings } from "./session-settings.ts";

/** The ways to one database. */
export interface DatabaseRoutes {
  /** For calls. With `direct`, it may lead to a pooler in transaction mode. */
  readonly connection: PostgresConnection;
  /** For what needs a session of its own: LISTEN, and the migrations. Default: `connection`. */
  readonly direct?: PostgresConnection | undefined;
  /** As the role that owns the tables. Default: `direct`. */
  readonly migrator?: PostgresConnection | undefined;
}

/** The connection whose session is nobody else's. */
export function sessionRoute({ connection, direct = connection }: DatabaseRoutes): PostgresConnection {
  return direct;
}

/** The connection that migrates. */
export function migrationRoute(routes: DatabaseRoutes): PostgresConnection {
  return routes.migrator ?? sessionRoute(routes);
}

const keepsNoStatements =
  "its pooler keeps no prepared statements: in transaction mode it must be PgBouncer 1.21 or newer, with max_prepared_statements above 0";

/** Throws `UnsuitableDatabaseError` if transactions of the client run in the sessions of others, too. */
export async function requireSession(client: pg.ClientBase, connection: PostgresConnection): Promise<void> {
  const { sharesSessions, keepsStatements } = await findPooler(client, connection);
  if (!sharesSessions) {
    return;
  }
  const mend =
    connection.setting === "DATABASE_URL"
      ? `set DATABASE_DIRECT_URL to PostgreSQL itself, or let the pooler pool sessions${keepsStatements ? "" : `. And ${keepsNoStatements}`}`
      : "set it to PostgreSQL itself";
  throw new UnsuitableDatabaseError(`it is a pooler in transaction mode: ${mend}.`, connection.setting);
}

/**
 * Looks, once the schema is there, whether calls can be served over `client`, a connection of `routes.connection`. Throws
 * `UnsuitableDatabaseError`, and `DatabaseConnectionError` if `direct` does not connect.
 */
export async function checkRoutes(client: pg.ClientBase, routes: DatabaseRoutes): Promise<void> {
  const { direct } = routes;
  await checkPooling(client, routes);
  await requireRights(client, routes);
  if (direct !== undefined) {
    await withClient("start", direct, (session) => requireSession(session, direct));
  }
}

/** Throws `UnsuitableDatabaseError` if the role of calls lacks rights. `client`: of `routes.connection`, once the schema is there. */
export async function requireRights(client: pg.ClientBase, routes: DatabaseRoutes): Promise<void> {
  const { user } = routes.connection;
  const missing = await findMissingRights(client);
  if (missing === undefined) {
    throw new UnsuitableDatabaseError(
      `it shows ${user} no tables of ours: it must lead to the database and the schema of ${migrationRoute(routes).setting}, and its role needs the rights that byond grants prints.`,
    );
  }
  if (missing.length > 0) {
    throw new UnsuitableDatabaseError(
      `${user} lacks rights on ${listed(missing)}: run what byond grants --role ${user} prints.`,
    );
  }
}

/** Whether a pooler on the way of calls lets them be served. `client`: of `routes.connection`. Throws `UnsuitableDatabaseError`. */
export function checkPooling(client: pg.ClientBase, { connection, direct }: DatabaseRoutes): Promise<void> {
  return direct === undefined ? requireSession(client, connection) : checkPooled(client, connection);
}

/** The sessions of a pooler are opened by the pooler, so what they need cannot be set by this server. */
async function checkPooled(client: pg.ClientBase, connection: PostgresConnection): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query("COMMIT");
  } catch (error) {
    throw new UnsuitableDatabaseError(
      `its pooler does not keep transactions together (${error instanceof Error ? error.message : error}): set its pool_mode to transaction.`,
    );
  }
  const { isThere, keepsStatements } = await findPooler(client, connection);
  if (!keepsStatements) {
    throw new UnsuitableDatabaseError(`${keepsNoStatements}.`);
  }
  const missing = await findMissingSettings(client);
  if (missing.length === 0) {
    return;
  }
  throw new UnsuitableDatabaseError(
    isThere
      ? `the sessions of its pooler lack the settings ${missing.join(", ")}: run what byond grants --role ${connection.user} prints, and RECONNECT in the pooler's console.`
      : "it leads to PostgreSQL itself, although DATABASE_DIRECT_URL is set, which is for a pooler in DATABASE_URL: remove DATABASE_DIRECT_URL, or set DATABASE_URL to the pooler.",
  );
}
