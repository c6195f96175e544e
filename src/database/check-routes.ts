import pg from "pg";
import { UnsuitableDatabaseError } from "./check-database.ts";
import { findPrimary } from "./connect.ts";
import { connectionFor, type PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";
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
  const { connection, direct } = routes;
  if (direct === undefined) {
    await requireSession(client, connection);
  } else {
    await checkPooled(client, connection);
  }
  const missing = await findMissingRights(client);
  const own = migrationRoute(routes);
  if (missing === undefined) {
    throw new UnsuitableDatabaseError(
      `it shows ${connection.user} no tables of ours: it must lead to the database and the schema of ${own.setting}, and its role needs the rights that byond grants prints.`,
    );
  }
  if (missing.length > 0) {
    throw new UnsuitableDatabaseError(
      `${connection.user} lacks rights on ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ` and ${missing.length - 3} more` : ""}: run what byond grants --role ${connection.user} prints.`,
    );
  }
  if (direct !== undefined) {
    await checkDirect(client, direct);
  }
}

/** The sessions of a pooler are opened by the pooler, so what they need cannot be set by this server. */
async function checkPooled(client: pg.ClientBase, connection: PostgresConnection): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query("COMMIT");
  } catch (error) {
    throw new UnsuitableDatabaseError(
      `its pooler does not keep transactions together: ${error instanceof Error ? error.message : error}.`,
    );
  }
  const { keepsStatements } = await findPooler(client, connection);
  if (!keepsStatements) {
    throw new UnsuitableDatabaseError(`${keepsNoStatements}.`);
  }
  const missing = await findMissingSettings(client);
  if (missing.length > 0) {
    throw new UnsuitableDatabaseError(
      `the sessions of its pooler lack the settings ${missing.join(", ")}: run what byond grants --role ${connection.user} prints, and RECONNECT in the pooler's console.`,
    );
  }
}

/** The process of PostgreSQL, and the database in it. */
const identity = `
  SELECT pg_postmaster_start_time()::text || ' ' || oid AS id FROM pg_database WHERE datname = current_database()`;

async function checkDirect(client: pg.ClientBase, direct: PostgresConnection): Promise<void> {
  await findPrimary(direct);
  const connection = connectionFor("start", direct);
  const session = new pg.Client({ ...connection });
  session.on("error", () => undefined);
  try {
    await session.connect();
  } catch (error) {
    throw new DatabaseConnectionError(error, connection);
  }
  try {
    await requireSession(session, direct);
    const [here, there] = await Promise.all([client.query(identity), session.query(identity)]);
    if (here.rows[0]?.id !== there.rows[0]?.id) {
      throw new UnsuitableDatabaseError("it must lead to the same database as DATABASE_URL.", direct.setting);
    }
  } finally {
    await session.end();
  }
}
