import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { connect, newClient } from "../database/connect.ts";
import type { PostgresConnection } from "../database/connection.ts";
import type { Queryable } from "../database/database.ts";
import { applySessionSettings } from "../database/session-settings.ts";
import { queryOf, type Statement } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";
import { reconnecting } from "./revocation.policy.ts";

export interface ListeningSessionOptions {
  readonly connection: PostgresConnection;
  /** How long a statement may take. Then it has failed, and the connection is closed. */
  readonly statementTimeoutMs: number;
  readonly logger: Logger;
  /** Called when a connection is made and listens: notifications may have been missed before. It must not throw. */
  readonly onConnected: () => void;
  /** By channel: called with the payload of every notification. They must not throw. */
  readonly onNotification: Readonly<Record<string, (payload: string) => void>>;
}

/**
 * One connection that listens to channels and runs statements. It is not of the pool: renewals do not wait for other statements.
 * A lost connection is made again; until then statements fail.
 */
export class ListeningSession implements Queryable {
  readonly #options: ListeningSessionOptions;
  readonly #stopping = new AbortController();
  /** Undefined: not connected. */
  #client: pg.Client | undefined;
  #backoffMs: number = reconnecting.firstMs;
  #failureIsLogged = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ListeningSessionOptions) {
    this.#options = options;
  }

  /** Connects, and reconnects until `stop`. Resolves after the first attempt, whether it succeeded or not. */
  async start(): Promise<void> {
    const attempted = Promise.withResolvers<void>();
    this.#running = this.#stayConnected(attempted.resolve);
    await attempted.promise;
  }

  /** See `Queryable.run`. Any failure also closes the connection, so that the next statement runs on a new one. */
  async run<Values, Row>(statement: Statement<Values, Row>, values: NoInfer<Values>): Promise<Row[]> {
    const client = this.#client;
    if (client === undefined) {
      throw new Error("there is no connection to the database");
    }
    const bound = statement.bind(values);
    try {
      const result = await client.query<unknown[]>(queryOf(bound));
      this.#backoffMs = reconnecting.firstMs;
      return bound.rowsOf(result);
    } catch (error) {
      close(client);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #stayConnected(onAttempted: () => void): Promise<void> {
    const stop = this.#stopping.signal;
    while (!stop.aborted) {
      await this.#connectOnce(onAttempted);
      const backoffMs = this.#backoffMs * (0.5 + Math.random() / 2);
      this.#backoffMs = Math.min(this.#backoffMs * 2, reconnecting.longestMs);
      await pause(backoffMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Resolves when the connection failed, is lost, or `stop` was called. */
  async #connectOnce(onAttempted: () => void): Promise<void> {
    const { connection, statementTimeoutMs, logger, onConnected, onNotification } = this.#options;
    const client = newClient("revocations", connection, { query_timeout: statementTimeoutMs });
    const over = new Promise<void>((resolve) => {
      client.once("end", resolve);
      client.on("error", () => resolve());
      this.#stopping.signal.addEventListener("abort", () => resolve());
    });
    client.on("notification", ({ channel, payload = "" }) => onNotification[channel]?.(payload));
    try {
      await connect(client, connection);
      await applySessionSettings(client);
      for (const channel of Object.keys(onNotification)) {
        await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
      }
      this.#client = client;
      this.#failureIsLogged = false;
      onConnected();
      onAttempted();
      await over;
    } catch (error) {
      if (!this.#failureIsLogged && !this.#stopping.signal.aborted) {
        logger.warn("revocation_connection_failed", { error });
      }
      this.#failureIsLogged = true;
      onAttempted();
    } finally {
      this.#client = undefined;
      close(client);
    }
  }
}

/** Closes a connection, by force if a statement is running. Not awaited. */
function close(client: pg.Client): void {
  client.end().catch(() => undefined);
}
