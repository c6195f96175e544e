import type pg from "pg";
import { timeLeftMs } from "./call-deadline.ts";

/**
 * The settings that statements and `pg` rely on, whatever is set for the role or the database: `pg` reads only ISO dates, a
 * conditional statement has to see what others have committed, numbers need all their digits, and plans must not depend on
 * how large the tables are. Set by a statement, because
 * poolers refuse settings that they do not know in a start-up message. A pooler in transaction mode needs them as settings of the
 * role (`grantScript`).
 */
export const sessionSettings: Readonly<Record<string, string>> = {
  datestyle: "ISO",
  intervalstyle: "postgres",
  default_transaction_isolation: "read committed",
  extra_float_digits: "1",
  // Every statement looks up a few rows by an index. PostgreSQL keeps the plan of a prepared statement that was made when a table had few
  // rows, where reading all of them is cheapest: it must not be possible (decision 37).
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  // A plan that is made once fits every value: PostgreSQL would make one for each call where a list of values is short.
  plan_cache_mode: "force_generic_plan",
  // Compiling takes longer than any of these statements.
  jit: "off",
};

const setSettings = `SELECT ${Object.entries(sessionSettings)
  .map(([name, value]) => `set_config('${name}', '${value}', false)`)
  .join(", ")}`;

/** A pooler may accept a connection before it has one to PostgreSQL. */
const patienceMs = 2_000;

/** Applies them to a new connection, within two seconds and the deadline of the call. Throws what a statement throws. */
export async function applySessionSettings(client: pg.ClientBase): Promise<void> {
  const config = { text: setSettings, query_timeout: Math.min(patienceMs, timeLeftMs() ?? patienceMs) };
  await client.query(config);
}

const readMissing = `
  SELECT wanted.name FROM (VALUES ${Object.entries(sessionSettings)
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(", ")}) AS wanted (name, value)
  WHERE lower(split_part(current_setting(wanted.name), ',', 1)) <> lower(wanted.value)`;

/** The names of those that a session lacks. */
export async function findMissingSettings(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(readMissing);
  return rows.map(({ name }) => name);
}
