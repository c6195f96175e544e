import pg from "pg";
import { vi } from "vitest";

/** Holds the lock under which servers migrate, so that a start waits for as long as the test likes. */
export async function holdMigrations(databaseUrl: string): Promise<{ isWaitedFor(): Promise<void> } & AsyncDisposable> {
  const holder = new pg.Client({ connectionString: databaseUrl });
  // Its database may be dropped before it ends.
  holder.on("error", () => undefined);
  await holder.connect();
  await holder.query("SELECT pg_advisory_lock(7269341950)");
  const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return {
    isWaitedFor: () =>
      vi.waitFor(
        async () => {
          if ((await holder.query(waiting)).rowCount === 0) {
            throw new Error("no start waits for the migrations");
          }
        },
        { timeout: 60_000, interval: 50 },
      ),
    [Symbol.asyncDispose]: () => holder.end(),
  };
}
