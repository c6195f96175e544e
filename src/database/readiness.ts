import type pg from "pg";
import type { Clock } from "../clock.ts";
import { connect, newClient } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";
import { isOutOfConnections } from "./database-errors.ts";
import { ReadOnlyHostError } from "./primary.ts";

/**
 * The state of the database for this server. `busy`: it answers, but calls wait for a connection of the pool; other servers are
 * likely as busy, so this one stays ready. `read_only`: a standby, or `default_transaction_read_only`.
 */
export type DatabaseState = "ok" | "busy" | "read_only" | "unavailable";

/** Whether calls should be sent to a server in this state. */
export function isReady(state: DatabaseState): boolean {
  return state === "ok" || state === "busy";
}

export interface ReadinessOptions {
  readonly connection: PostgresConnection;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** See `Database.poolUse`. */
  readonly pool: () => { readonly connections: number; readonly waiting: number };
}

const askAgainAfterMs = 1_000;
/** For the connection, and once more for the answer. */
const patienceMs = 2_000;
/** Settings of a database or a role take effect for new connections only. */
const maxConnectionAgeMs = 10_000;

/**
 * The state of the database, for health checks. It has a connection of its own, so that it never waits behind calls, and asks at
 * most once a second, however many checks there are.
 */
export class DatabaseReadiness {
  readonly #options: ReadinessOptions;
  #client: pg.Client | undefined;
  #connectedAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #answer: Promise<DatabaseState> = Promise.resolve("unavailable");
  #isAsking = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Never rejects; takes four seconds at most. */
  async state(): Promise<DatabaseState> {
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#isAsking && nowMs - this.#askedAtMs >= askAgainAfterMs) {
      this.#isAsking = true;
      this.#askedAtMs = nowMs;
      this.#answer = this.#ask().finally(() => {
        this.#isAsking = false;
      });
    }
    const state = await this.#answer;
    return state === "ok" && this.#options.pool().waiting > 0 ? "busy" : state;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // Not awaited: a database that does not answer would not answer this either.
    client?.end().catch(() => undefined);
  }

  async #ask(): Promise<DatabaseState> {
    try {
      const client = await this.#connection();
      const { rows } = await client.query<{ is_read_only: boolean; has_tables: boolean }>(
        // A database that was created anew has no tables. No table is read: a migration may have locked it.
        "SELECT current_setting('transaction_read_only')::boolean AS is_read_only, to_regclass('server') IS NOT NULL AS has_tables",
      );
      if (rows[0]?.has_tables !== true) {
        return "unavailable";
      }
      return rows[0]?.is_read_only === false ? "ok" : "read_only";
    } catch (error) {
      await this.close();
      if (error instanceof ReadOnlyHostError) {
        return "read_only";
      }
      // Calls use the connections of the pool.
      return isOutOfConnections(error) && this.#options.pool().connections > 0 ? "busy" : "unavailable";
    }
  }

  async #connection(): Promise<pg.Client> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#client !== undefined && nowMs - this.#connectedAtMs < maxConnectionAgeMs) {
      return this.#client;
    }
    await this.close();
    const { connection } = this.#options;
    const client = newClient("readiness", connection, {
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
    });
    const forget = () => {
      if (this.#client === client) {
        this.#client = undefined;
      }
    };
    client.on("error", forget);
    client.on("end", forget);
    await connect(client, connection);
    this.#client = client;
    this.#connectedAtMs = nowMs;
    return client;
  }
}
