import { parseDatabaseUrl } from "../config/database-url.ts";
import type { DatabaseConfig } from "../config.ts";
import { connectionOf, type PostgresConnection } from "./connection.ts";
import { startEmbeddedPostgres } from "./embedded/embedded-postgres.ts";

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
