import { describeError, type Logger } from "./log.ts";

/** Removes what nobody needs any more. */
export interface Sweep {
  readonly name: string;
  run(): Promise<unknown>;
}

/**
 * Runs sweeps one after the other, again and again. Every server has one: the sweeps themselves see to it that they do not
 * get in each other's way.
 */
export class Sweeper {
  readonly #sweeps: readonly Sweep[];
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(options: { readonly sweeps: readonly Sweep[]; readonly logger: Logger; readonly intervalMs: number }) {
    this.#sweeps = options.sweeps;
    this.#logger = options.logger;
    this.#intervalMs = options.intervalMs;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), this.#intervalMs).unref();
  }

  /** One round. Never rejects: what cannot be swept now is swept the next time. */
  sweep(): Promise<void> {
    this.#round ??= this.#sweepAll().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Stops, and waits for the round that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  async #sweepAll(): Promise<void> {
    for (const { name, run } of this.#sweeps) {
      try {
        await run();
      } catch (error) {
        this.#logger.warn("sweep failed", { sweep: name, error: describeError(error) });
      }
    }
  }
}
