import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import { connectionOf, type PostgresConnection } from "./connection.ts";
import type { DatabaseAddress } from "./database-url.ts";
import { parseDatabaseUrl } from "./database-url.ts";

/** Where the data is kept. */
export type DatabaseConfig =
  /** The embedded PostgreSQL, which starts and ends with the process. */
  | { readonly kind: "embedded"; readonly dataDir: string }
  /** A PostgreSQL that the operator runs. */
  | { readonly kind: "external"; readonly address: DatabaseAddress };

/** A PostgreSQL that accepts connections. */
export interface ProvidedPostgres {
  readonly connection: PostgresConnection;
  /** Where the embedded one is, with its password. */
  readonly url?: string;
  /** Stops it if it is embedded. */
  stop(): Promise<void>;
}

/**
 * Connections of a worker at most: those of its pool, its others, and a few that are being replaced. And those of PostgreSQL itself, of the
 * operator's tools and of a migration.
 */
const connectionsOfWorker = 16;
const otherConnections = 20;
/** PostgreSQL's own default. Up to it, an operator's `postgresql.conf` decides. */
const defaultMaxConnections = 100;

/** What PostgreSQL has to be told, so that the connections are enough for all workers. */
function settingsFor(workers: number): Readonly<Record<string, string>> {
  const needed = workers * connectionsOfWorker + otherConnections;
  return needed > defaultMaxConnections ? { max_connections: String(needed) } : {};
}

/**
 * Starts the embedded PostgreSQL, or returns the connection to that of the operator. `workers`: the processes of the server that will
 * connect.
 */
export async function providePostgres(
  config: DatabaseConfig,
  onUnexpectedExit: (reason: Error) => void,
  workers = 1,
): Promise<ProvidedPostgres> {
  if (config.kind === "external") {
    return { connection: await connectionOf(config.address), stop: async () => {} };
  }
  const settings = settingsFor(workers);
  const { url, stop } = await startEmbeddedPostgres({ dataDir: config.dataDir, settings, onUnexpectedExit });
  return { ...(await embeddedPostgresAt(url)), url, stop };
}

/** The embedded PostgreSQL that another process of this server has started. */
export async function embeddedPostgresAt(url: string): Promise<ProvidedPostgres> {
  return { connection: await connectionOf(parseDatabaseUrl(url, [])), stop: async () => {} };
}
