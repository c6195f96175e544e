import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import { connectionOf, type PostgresConnection } from "./connection.ts";
import type { DatabaseAddress } from "./database-url.ts";
import { parseDatabaseUrl } from "./database-url.ts";

/** Where the data is kept. */
export type DatabaseConfig =
  /** A PostgreSQL that is brought along and lives and dies with the process. */
  | { readonly kind: "embedded"; readonly dataDir: string }
  /** One that somebody else runs. */
  | { readonly kind: "external"; readonly address: DatabaseAddress };

/** PostgreSQL, ready to be connected to. */
export interface ProvidedPostgres {
  readonly connection: PostgresConnection;
  /** Stops it, where it is ours to stop. */
  stop(): Promise<void>;
}

/** Starts the PostgreSQL that is brought along, or names the one that somebody else runs. */
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
