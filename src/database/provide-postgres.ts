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
  /** Stops it if it is embedded. */
  stop(): Promise<void>;
}

/** Starts the embedded PostgreSQL, or returns the connection to that of the operator. */
export async function providePostgres(
  config: DatabaseConfig,
  onUnexpectedExit: (reason: Error) => void,
): Promise<ProvidedPostgres> {
  if (config.kind === "external") {
    return { connection: await connectionOf(config.address), stop: async () => {} };
  }
  const { url, stop } = await startEmbeddedPostgres({ dataDir: config.dataDir, onUnexpectedExit });
  return { connection: await connectionOf(parseDatabaseUrl(url, [])), stop };
}
