import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { AppError } from "../errors.ts";
import { connect, newClient } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";
import { unavailable } from "./database-errors.ts";
import { applySessionSettings } from "./session-settings.ts";
import { queryOf, statement, text, xid8 } from "./statement.ts";
import type { TransactionIdentity } from "./transaction-identity.ts";

/** No status in another incarnation than the transaction's: nobody there can tell what became of it. */
const readStatusIn = (incarnation: string) =>
  statement<{ status: "committed" | "aborted" | "in progress" | null }>("transaction_status")(
    { id: xid8, incarnation: text },
    (p) => `SELECT CASE WHEN ${incarnation} = ${p.incarnation} THEN pg_xact_status(${p.id}) END AS status`,
  );

const patienceMs = 3_000;
const pollMs = 50;

/**
 * Looks up the outcome of an effect whose connection was lost before its answer. It makes a connection of its own, because those of
 * the pool may be lost as well. Throws `outcome_unknown` after three seconds.
 */
export class CommitOutcomes {
  readonly #connection: PostgresConnection;
  readonly #readStatus: ReturnType<typeof readStatusIn>;

  /** `incarnation`: see `findIncarnation`. */
  constructor(connection: PostgresConnection, incarnation: string) {
    this.#connection = connection;
    this.#readStatus = readStatusIn(incarnation);
  }

  /** Resolves with the rows that `read` finds, as soon as it finds any: a statement may still be running when its connection is lost. */
  find<Row>(read: (client: pg.Client) => Promise<Row[]>, cause: unknown): Promise<Row[]> {
    return this.#poll(cause, async (client) => {
      const rows = await read(client);
      return rows.length > 0 ? rows : undefined;
    });
  }

  /** Returns if the transaction was committed. Throws `unavailable` if it was rolled back. */
  async requireCommitted(transaction: TransactionIdentity, cause: unknown): Promise<void> {
    const ask = this.#readStatus.bind(transaction);
    const isCommitted = await this.#poll(cause, async (client) => {
      const [row] = ask.rowsOf(await client.query<unknown[]>(queryOf(ask)));
      const status = row?.status;
      return status === "committed" || status === "aborted" ? status === "committed" : undefined;
    });
    if (!isCommitted) {
      throw unavailable(cause);
    }
  }

  async #poll<T>(cause: unknown, ask: (client: pg.Client) => Promise<T | undefined>): Promise<T> {
    const giveUpAtMs = performance.now() + patienceMs;
    let client: pg.Client | undefined;
    // Closes a connection that does not answer, so that the loop below ends in time.
    const giveUp = setTimeout(() => client?.end().catch(() => undefined), patienceMs);
    try {
      do {
        try {
          client ??= await this.#connect(Math.max(1, giveUpAtMs - performance.now()));
          const answer = await ask(client);
          if (answer !== undefined) {
            return answer;
          }
        } catch {
          // The database cannot be reached: the next round connects anew.
          await client?.end().catch(() => undefined);
          client = undefined;
        }
        await pause(pollMs);
      } while (performance.now() < giveUpAtMs);
    } finally {
      clearTimeout(giveUp);
      await client?.end().catch(() => undefined);
    }
    throw new AppError(
      "outcome_unknown",
      "The connection to the database was lost during the call, which may have taken effect. Retry with the same Idempotency-Key, or check first whether it took effect.",
      { cause },
    );
  }

  async #connect(timeoutMs: number): Promise<pg.Client> {
    const client = newClient("outcomes", this.#connection, {
      connectionTimeoutMillis: Math.min(timeoutMs, this.#connection.connectionTimeoutMillis),
      query_timeout: patienceMs,
    });
    await connect(client, this.#connection);
    try {
      await applySessionSettings(client);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }
}
