import pg from "pg";
import type { Logger } from "../observe/log.ts";

const migrationLock = 7_269_341_950;
/** How often the holder of the lock is logged while this server waits for it. */
const reportEveryMs = 5_000;

/** SQL of the connection that holds an advisory lock of this database: `holder`, as the log names its parts. */
export const holderOfLock = (lock: number) => `
  SELECT json_build_object(
    'pid', activity.pid, 'application_name', activity.application_name, 'role', activity.usename,
    'client_address', host(activity.client_addr), 'state', activity.state,
    'connected_seconds', (extract(epoch FROM clock_timestamp() - activity.backend_start))::integer
  ) AS holder
  FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
  WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
    AND (held.classid::bigint << 32) | held.objid::bigint = ${lock}
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/**
 * Takes the lock under which servers that start together migrate one after the other. Closing the connection releases it. While
 * another connection has it, the log says which one, so that the operator finds a server that hangs in a long transaction, or a
 * session at a terminal. No other time-out may end the wait (`withoutTimeouts`).
 */
export async function takeMigrationLock(client: pg.Client, logger: Logger): Promise<void> {
  await client.query(`SET lock_timeout = ${reportEveryMs}`);
  for (let waitedMs = 0; ; waitedMs += reportEveryMs) {
    try {
      await client.query(`SELECT pg_advisory_lock(${migrationLock})`);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === "55P03")) {
        throw error;
      }
    }
    const { rows } = await client.query(holderOfLock(migrationLock));
    logger.warn("waiting_for_migration_lock", {
      waited_seconds: (waitedMs + reportEveryMs) / 1_000,
      held_by: rows[0]?.holder ?? null,
    });
  }
}
