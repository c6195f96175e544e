import type { Logger } from "../../../observe/log.ts";
import { backoffMs } from "../../../outbox/backoff.ts";
import type { Timers } from "../../../outbox/timers.ts";
import { statuses } from "./command-status.ts";
import { BindError, SmppConnection, type SmppConnectionOptions } from "./smpp-connection.ts";

export interface SmppBindDependencies {
  /** The provider's name, for the log. */
  readonly provider: string;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  /** Called when the bind is made or lost, and when an attempt has failed. */
  readonly onChange: () => void;
}

/** After this long, a bind that is lost begins with the shortest pause again. */
const stableMs = 10_000;

/** The account is refused: an SMSC may lock it if it is asked too often. */
const refusedAccountPauseMs = 60_000;

/**
 * Keeps one bind to the SMSC.
 *
 * States:
 *
 * - **binding**: a connection is being made. The state at the beginning.
 * - **bound**: `connection` can be used.
 * - **waiting**: the attempt failed, or the connection was lost. The next attempt is made after a pause: `backoffMs`, a minute if the
 *   account is refused.
 * - **closed**
 *
 * Transitions: binding → bound or waiting; bound → waiting; waiting → binding; all → closed by `close`.
 */
export class SmppBind {
  readonly #options: Omit<SmppConnectionOptions, "timers">;
  readonly #deps: SmppBindDependencies;
  readonly #closing = new AbortController();
  #connection: SmppConnection | undefined;
  #failures = 0;
  #pause: { readonly reason: string; readonly endsAtMs: number } | undefined;
  #cancelAttempt = () => {};
  #attempt: Promise<void>;

  constructor(options: Omit<SmppConnectionOptions, "timers">, deps: SmppBindDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#attempt = this.#bind();
  }

  /** Undefined unless bound. */
  get connection(): SmppConnection | undefined {
    return this.#connection;
  }

  /** Why nothing is bound, and how long until the next attempt. Undefined unless waiting. */
  get pause(): { readonly reason: string; readonly leftMs: number } | undefined {
    return (
      this.#pause && {
        reason: this.#pause.reason,
        leftMs: Math.max(1, Math.ceil(this.#pause.endsAtMs - this.#deps.monotonicMs())),
      }
    );
  }

  /** Unbinds. Resolves when the connection has ended. */
  async close(): Promise<void> {
    this.#cancelAttempt();
    this.#closing.abort();
    await this.#attempt;
    await this.#connection?.close();
  }

  async #bind(): Promise<void> {
    const { timers, logger, provider, monotonicMs } = this.#deps;
    this.#pause = undefined;
    let connection: SmppConnection;
    try {
      connection = await SmppConnection.open({ ...this.#options, timers }, this.#closing.signal);
    } catch (error) {
      if (!(error instanceof BindError)) {
        throw error;
      }
      const { message: reason, status } = error;
      this.#wait(reason, isRefusal(status), (retry_ms) => {
        logger.warn("smpp_bind_failed", { provider, reason, retry_ms });
      });
      return;
    }
    const boundAtMs = monotonicMs();
    this.#connection = connection;
    logger.info("smpp_bound", { provider, mode: this.#options.mode });
    this.#deps.onChange();
    void connection.closed.then((reason) => {
      this.#connection = undefined;
      if (monotonicMs() - boundAtMs >= stableMs) {
        this.#failures = 0;
      }
      this.#wait(reason, false, (retry_ms) => {
        logger.warn("smpp_connection_lost", { provider, reason, retry_ms });
      });
    });
  }

  #wait(reason: string, isRefused: boolean, log: (pauseMs: number) => void): void {
    if (this.#closing.signal.aborted) {
      return;
    }
    const { timers, monotonicMs, random, onChange } = this.#deps;
    this.#failures += 1;
    const pauseMs = isRefused ? refusedAccountPauseMs : backoffMs(this.#failures, random);
    this.#pause = { reason, endsAtMs: monotonicMs() + pauseMs };
    log(pauseMs);
    this.#cancelAttempt = timers.after(pauseMs, () => {
      this.#attempt = this.#bind();
    });
    onChange();
  }
}

function isRefusal(status: number | undefined): boolean {
  return status === statuses.wrongPassword || status === statuses.wrongSystemId;
}
