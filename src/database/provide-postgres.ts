import type { DatabaseConfig } from "../config.ts";
import { startEmbeddedPostgres } from "./embedded/embedded-postgres.ts";

/** PostgreSQL, ready to be connected to. */
export interface ProvidedPostgres {
  readonly url: string;
  /** Stops it, where it is ours to stop. */
  stop(): Promise<void>;
}

/** Starts the PostgreSQL that is brought along, or names the one that somebody else runs. */
export async function providePostgres(
  config: DatabaseConfig,
  onUnexpectedExit: (reason: Error) => void,
): Promise<ProvidedPostgres> {
  return config.kind === "external"
    ? { url: config.url, stop: async () => {} }
    : startEmbeddedPostgres({ dataDir: config.dataDir, onUnexpectedExit });
}
