import type pg from "pg";
import { timeLeftMs } from "./call-deadline.ts";

/**
 * What statements and `pg` rely on, whatever the role or the database has set: `pg` reads only ISO dates, a conditional
 * statement decides by what others have committed, and numbers come in full. Asked for by a statement, because poolers refuse
 * what they do not know when a connection begins.
 */
const setSettings = `
  SELECT
    set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false),
    set_config('default_transaction_isolation', 'read committed', false), set_config('extra_float_digits', '1', false)`;

/** A pooler may take a connection before it has one itself. */
const patienceMs = 2_000;

/** Makes a new connection one that the server can work with, within two seconds and the call's time. Throws what a statement throws. */
export async function applySessionSettings(client: pg.ClientBase): Promise<void> {
  const config = { text: setSettings, query_timeout: Math.min(patienceMs, timeLeftMs() ?? patienceMs) };
  await client.query(config);
}
