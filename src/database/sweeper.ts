import type { Logger } from "../observe/log.ts";
import { change, type Database } from "./database.ts";
import { integer, statement, text } from "./statement.ts";

/**
 * Removes what nobody needs any more, a batch at a time. Two servers may do it at once: a batch has to be right beside another one,
 * and to skip the rows that it holds.
 */
export interface Sweep {
  /** Unique: by it servers tell each other that they do it. */
  readonly name: string;
  /** Removes a batch, small enough to keep nobody waiting. Whether there may be more. */
  removeBatch(): Promise<boolean>;
}

export interface SweeperOptions {
  readonly database: Pick<Database, "transaction">;
  readonly sweeps: readonly Sweep[];
  readonly logger: Logger;
  /** How often each sweep is done, by whichever server. */
  readonly intervalMs: number;
}

/**
 * Takes the round of a sweep, if it is due. Of servers that ask at once, one gets it. A time beyond the next round is of a
 * clock that was set back since.
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

/** Of the interval: a round is not put off because a timer fired a moment early. */
const claimedShare = 0.9;

/**
 * Runs sweeps one after the other, again and again, each until nothing is left for it. The servers share the work: a round
 * of a sweep is begun by one server, and another one takes the sweeps that come after it. A round that lasts longer than the
 * interval is joined by a second server.
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

  /** Does what is due. Never rejects: what cannot be swept now is swept the next time. */
  sweep(): Promise<void> {
    this.#round ??= this.#sweepAll().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Stops, and waits for the batch that is under way. What is left is done by another server, or after the next start. */
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
        this.#options.logger.warn("sweep failed", { sweep: sweep.name, error });
      }
    }
  }

  async #claim({ name }: Sweep): Promise<boolean> {
    const intervalMs = Math.ceil(this.#options.intervalMs * claimedShare);
    return (await change(this.#options.database, claimRound, { name, intervalMs })).length > 0;
  }
}
