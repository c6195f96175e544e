import { randomUUID } from "node:crypto";
import pg from "pg";
import { connect, newClient } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";

/** What lies between this server and PostgreSQL. */
export interface Pooler {
  /** Whether there is a pooler at all. */
  readonly isThere: boolean;
  /** Whether transactions of one client run in several sessions of PostgreSQL: a pooler in transaction mode. */
  readonly sharesSessions: boolean;
  /** Whether a statement that was prepared by name can be run in every transaction that follows. */
  readonly keepsStatements: boolean;
}

const rounds = 10;
const patienceMs = 2_000;

/**
 * Finds out how a pooler behaves, whatever it is. A client of PostgreSQL itself is told the id of its process; a pooler tells an id of its
 * own. Then two clients run a prepared statement in turn: in transaction mode they get the same session, or change theirs.
 */
export async function findPooler(client: pg.ClientBase, connection: PostgresConnection): Promise<Pooler> {
  // The types of `pg` do not say that a client has it.
  const told: unknown = Reflect.get(client, "processID");
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  if (rows[0]?.pid === told) {
    return { isThere: false, sharesSessions: false, keepsStatements: true };
  }
  const second = newClient("start", connection, { query_timeout: patienceMs });
  try {
    await connect(second, connection);
    return await compare(client, second);
  } catch (error) {
    // A pooler in session mode that has one session: the second client waits until the first one leaves.
    if (error instanceof Error && error.message === "Query read timeout") {
      return { isThere: true, sharesSessions: false, keepsStatements: true };
    }
    throw error;
  } finally {
    // Not awaited: it may still be waiting for an answer.
    second.end().catch(() => undefined);
  }
}

async function compare(first: pg.ClientBase, second: pg.ClientBase): Promise<Pooler> {
  const prepared = { name: `byond_probe_${randomUUID()}`, text: "SELECT pg_backend_pid() AS pid" };
  const sessionOf = async (client: pg.ClientBase) => (await client.query<{ pid: number }>(prepared)).rows[0]?.pid;
  const initial: (number | undefined)[] = [];
  let sharesSessions = false;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const [one, two] = [await sessionOf(first), await sessionOf(second)];
      initial[0] ??= one;
      initial[1] ??= two;
      sharesSessions ||= one === two || one !== initial[0] || two !== initial[1];
    }
  } catch (error) {
    // It exists already, or it does not exist.
    if (error instanceof pg.DatabaseError && (error.code === "42P05" || error.code === "26000")) {
      return { isThere: true, sharesSessions: true, keepsStatements: false };
    }
    throw error;
  }
  return { isThere: true, sharesSessions, keepsStatements: true };
}
