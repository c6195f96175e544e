import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import { findEmbeddedPostgres } from "@byond/embedded-postgres/find";
import type { DatabaseRoutes } from "./check-routes.ts";
import { connectionOf } from "./connection.ts";
import type { DatabaseAddress } from "./database-url.ts";
import { parseDatabaseUrl } from "./database-url.ts";

/** Where the data is kept. */
export type DatabaseConfig =
  /** The embedded PostgreSQL, which starts and ends with the process. */
  | { readonly kind: "embedded"; readonly dataDir: string }
  /** A PostgreSQL that the operator runs. */
  | {
      readonly kind: "external";
      readonly address: DatabaseAddress;
      /** See `DatabaseRoutes`. */
      readonly direct?: DatabaseAddress | undefined;
      readonly migrator?: DatabaseAddress | undefined;
    };

/** A database, and what will connect to it. */
export interface PostgresUse {
  readonly database: DatabaseConfig;
  /** The processes of the server. */
  readonly workers: number;
  /** Of each process. */
  readonly databasePoolSize: number;
}

/** A PostgreSQL that accepts connections. */
export interface ProvidedPostgres {
  readonly routes: DatabaseRoutes;
  /** Where the embedded one is, with its password. */
  readonly url?: string;
  /** Stops it if it is embedded. */
  stop(): Promise<void>;
}

/**
 * Connections of a worker beside its pool: its others, and a few that are being replaced. And those of PostgreSQL itself, of the
 * operator's tools and of a migration.
 */
const besidePool = 6;
const otherConnections = 20;
/** PostgreSQL's own default. Up to it, an operator's `postgresql.conf` decides. */
const defaultMaxConnections = 100;

/** What PostgreSQL has to be told, so that the connections are enough for all workers. */
function settingsFor({ workers, databasePoolSize }: PostgresUse): Readonly<Record<string, string>> {
  const needed = workers * (databasePoolSize + besidePool) + otherConnections;
  return needed > defaultMaxConnections ? { max_connections: String(needed) } : {};
}

/** Starts the embedded PostgreSQL, or returns the connection to that of the operator. */
export async function providePostgres(
  use: PostgresUse,
  onUnexpectedExit: (reason: Error) => void,
): Promise<ProvidedPostgres> {
  const { database } = use;
  if (database.kind === "external") {
    const { address, direct, migrator } = database;
    const routes = {
      connection: await connectionOf(address),
      direct: direct && (await connectionOf(direct, "DATABASE_DIRECT_URL")),
      migrator: migrator && (await connectionOf(migrator, "DATABASE_MIGRATION_URL")),
    };
    return { routes, stop: async () => {} };
  }
  const settings = settingsFor(use);
  const { url, stop } = await startEmbeddedPostgres({ dataDir: database.dataDir, settings, onUnexpectedExit });
  return { ...(await embeddedPostgresAt(url)), url, stop };
}

/**
 * As `providePostgres`, for a program that only reads: it joins the server that has the embedded PostgreSQL, and creates none. Undefined:
 * there is none yet.
 */
export async function providePostgresToRead(use: PostgresUse): Promise<ProvidedPostgres | undefined> {
  const { database } = use;
  const found = database.kind === "external" ? "stopped" : await findEmbeddedPostgres(database.dataDir);
  if (found === "none") {
    return undefined;
  }
  return found === "stopped" ? providePostgres(use, () => {}) : embeddedPostgresAt(found.administratorUrl);
}

/** The embedded PostgreSQL that another process of this server has started. */
export async function embeddedPostgresAt(url: string): Promise<ProvidedPostgres> {
  return { routes: { connection: await connectionOf(parseDatabaseUrl(url, [])) }, stop: async () => {} };
}
