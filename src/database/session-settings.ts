import type pg from "pg";
import { timeLeftMs } from "./call-deadline.ts";

/**
 * The settings that statements and `pg` rely on, whatever is set for the role or the database: `pg` reads only ISO dates, a
 * conditional statement has to see what others have committed, and numbers need all their digits. Set by a statement, because
 * poolers refuse settings that they do not know in a start-up message.
 */
const setSettings = `
  SELECT
    set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false),
    set_config('default_transaction_isolation', 'read committed', false), set_config('extra_float_digits', '1', false)`;

/** A pooler may accept a connection before it has one to PostgreSQL. */
const patienceMs = 2_000;

/** Applies them to a new connection, within two seconds and the deadline of the call. Throws what a statement throws. */
export async function applySessionSettings(client: pg.ClientBase): Promise<void> {
  const config = { text: setSettings, query_timeout: Math.min(patienceMs, timeLeftMs() ?? patienceMs) };
  await client.query(config);
}
