import pg from "pg";
import type { Clock } from "../clock.ts";
import { connectionFor, type PostgresConnection } from "./connection.ts";

/**
 * What the database lets this server do. `busy`: it answers, but calls wait for a connection of this server; other servers
 * would not be better off, so this one stays ready. `read_only`: a standby, or `default_transaction_read_only`.
 */
export type DatabaseState = "ok" | "busy" | "read_only" | "unavailable";

/** Whether calls should be sent to a server in this state. */
export function isReady(state: DatabaseState): boolean {
  return state === "ok" || state === "busy";
}

export interface ReadinessOptions {
  readonly connection: PostgresConnection;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How the connections that serve calls are used. */
  readonly pool: () => { readonly connections: number; readonly waiting: number };
}

const askAgainAfterMs = 1_000;
/** For the connection, and for the answer. */
const patienceMs = 2_000;
/** What is set for a database or a role holds for new connections only. */
const maxConnectionAgeMs = 10_000;

/**
 * Tells health checks how the database is: over a connection of its own, so that it never waits behind calls, and asked at
 * most once a second, whoever wants to know and how often.
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
    // Not awaited: a database that is silent does not answer a goodbye either.
    client?.end().catch(() => undefined);
  }

  async #ask(): Promise<DatabaseState> {
    try {
      const client = await this.#connection();
      const { rows } = await client.query<{ is_read_only: boolean; has_tables: boolean }>(
        // A database that was made anew has no tables. It is not looked into one, which a migration may have locked.
        "SELECT current_setting('transaction_read_only')::boolean AS is_read_only, to_regclass('server') IS NOT NULL AS has_tables",
      );
      if (rows[0]?.has_tables !== true) {
        return "unavailable";
      }
      return rows[0]?.is_read_only === false ? "ok" : "read_only";
    } catch (error) {
      await this.close();
      // Calls go on over the connections that there are.
      return isOutOfConnections(error) && this.#options.pool().connections > 0 ? "busy" : "unavailable";
    }
  }

  async #connection(): Promise<pg.Client> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#client !== undefined && nowMs - this.#connectedAtMs < maxConnectionAgeMs) {
      return this.#client;
    }
    await this.close();
    const client = new pg.Client({
      ...connectionFor("readiness", this.#options.connection),
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
    });
    const forget = () => {
      if (this.#client === client) {
        this.#client = undefined;
      }
    };
    // Without a listener, a lost connection would end the process.
    client.on("error", forget);
    client.on("end", forget);
    try {
      await client.connect();
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    this.#connectedAtMs = nowMs;
    return client;
  }
}

function isOutOfConnections(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "53300";
}
