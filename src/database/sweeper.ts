import type { Logger } from "../observe/log.ts";
import { change, type Database } from "./database.ts";
import { integer, statement, text } from "./statement.ts";

/**
 * Deletes rows that are not needed any more, a batch at a time. Two servers may run the same sweep at once: a batch has to be
 * correct beside another one, and to skip the rows that it has locked.
 */
export interface Sweep {
  /** Unique: servers divide the rounds among themselves by it. */
  readonly name: string;
  /** Deletes a batch that is small enough to delay no call. Returns whether there may be more. */
  removeBatch(): Promise<boolean>;
}

export interface SweeperOptions {
  readonly database: Pick<Database, "transaction">;
  readonly sweeps: readonly Sweep[];
  readonly logger: Logger;
  /** How often each sweep runs, on one of the servers. */
  readonly intervalMs: number;
}

/**
 * Claims the round of a sweep, if it is due. Of servers that ask at once, one gets it. A time later than the next round was
 * written before the clock was set back.
 */
const claimRound = statement<{ name: string }>("claim_sweep")(
  { name: text, intervalMs: integer },
  (p) => `
    INSERT INTO sweep AS round (name, next_at)
    SELECT ${p.name}, byond_now() + ${p.intervalMs} * interval '1 millisecond'
    ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at
      WHERE byond_now() NOT BETWEEN round.next_at - ${p.intervalMs} * interval '1 millisecond' AND round.next_at
    RETURNING name`,
);

/** The part of the interval that a claim lasts: a round is not postponed because a timer fired a moment early. */
const claimedShare = 0.9;

/**
 * Runs sweeps periodically, one after the other, each until nothing is left to delete. The servers share the work: one server
 * begins a round of a sweep, and another one runs the sweeps after it. If a round lasts longer than the interval, a second server
 * joins it.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), this.#options.intervalMs).unref();
  }

  /** Runs what is due. Never rejects: a sweep that fails is run again at the next interval. */
  sweep(): Promise<void> {
    this.#round ??= this.#sweepAll().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Stops, and waits for the batch that is running. Another server deletes what is left, or this one after its next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #sweepAll(): Promise<void> {
    for (const sweep of this.#options.sweeps) {
      try {
        if (!this.#isStopping && (await this.#claim(sweep))) {
          while (!this.#isStopping && (await sweep.removeBatch()));
        }
      } catch (error) {
        this.#options.logger.warn("sweep_failed", { sweep: sweep.name, error });
      }
    }
  }

  async #claim({ name }: Sweep): Promise<boolean> {
    const intervalMs = Math.ceil(this.#options.intervalMs * claimedShare);
    return (await change(this.#options.database, claimRound, { name, intervalMs })).length > 0;
  }
}
