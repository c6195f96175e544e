import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { connectionFor, type PostgresConnection } from "../database/connection.ts";
import type { Queryable } from "../database/database.ts";
import { applySessionSettings } from "../database/session-settings.ts";
import { queryOf, type Statement } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";

export interface ListeningSessionOptions {
  readonly connection: PostgresConnection;
  readonly channel: string;
  /** After this long, a statement has failed, and the connection with it. */
  readonly statementTimeoutMs: number;
  readonly logger: Logger;
  /** Called when a connection is made and listens, for what was missed while there was none. It must not throw. */
  readonly onConnected: () => void;
  /** Called when somebody has notified the channel. It must not throw. */
  readonly onNotification: () => void;
}

const minBackoffMs = 20;
const maxBackoffMs = 1_000;

/**
 * One connection that listens to a channel and runs statements, apart from the pool: whatever occupies the pool, renewals
 * go through. A lost connection is made again; until then statements fail.
 */
export class ListeningSession implements Queryable {
  readonly #options: ListeningSessionOptions;
  readonly #stopping = new AbortController();
  /** The one that statements run on. */
  #client: pg.Client | undefined;
  #backoffMs = minBackoffMs;
  #failureIsLogged = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ListeningSessionOptions) {
    this.#options = options;
  }

  /** Connects, and stays connected until `stop`. Resolves after the first attempt, however it ended. */
  async start(): Promise<void> {
    const attempted = Promise.withResolvers<void>();
    this.#running = this.#stayConnected(attempted.resolve);
    await attempted.promise;
  }

  /** As `Queryable` says, but any failure ends the connection: what comes next must run on one that works. */
  async run<Values, Row>(statement: Statement<Values, Row>, values: NoInfer<Values>): Promise<Row[]> {
    const client = this.#client;
    if (client === undefined) {
      throw new Error("there is no connection to the database");
    }
    const bound = statement.bind(values);
    try {
      const result = await client.query<unknown[]>(queryOf(bound));
      this.#backoffMs = minBackoffMs;
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
      this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
      await pause(backoffMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Resolves when the connection is lost again, or was not made at all, or is not wanted any more. */
  async #connectOnce(onAttempted: () => void): Promise<void> {
    const { connection, channel, statementTimeoutMs, logger, onConnected, onNotification } = this.#options;
    const client = new pg.Client({
      ...connectionFor("revocations", connection),
      query_timeout: statementTimeoutMs,
      keepAlive: true,
    });
    const over = new Promise<void>((resolve) => {
      client.once("end", resolve);
      // Without a listener, a lost connection would end the process.
      client.on("error", () => resolve());
      this.#stopping.signal.addEventListener("abort", () => resolve());
    });
    client.on("notification", onNotification);
    try {
      await client.connect();
      await applySessionSettings(client);
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
      this.#client = client;
      this.#failureIsLogged = false;
      onConnected();
      onAttempted();
      await over;
    } catch (error) {
      if (!this.#failureIsLogged && !this.#stopping.signal.aborted) {
        logger.warn("no connection for revocations", { error });
      }
      this.#failureIsLogged = true;
      onAttempted();
    } finally {
      this.#client = undefined;
      close(client);
    }
  }
}

/** Ends a connection, by force if a statement is still running. Nobody has to wait for it. */
function close(client: pg.Client): void {
  client.end().catch(() => undefined);
}
