import type { Clock } from "../clock.ts";
import type { Queryable } from "../database/database.ts";
import type { Logger } from "../observe/log.ts";
import type { Tracing } from "../observe/tracing.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import type { LaneGroup } from "./lane-set.ts";
import { claimMs, expiryIntervalMs, pollIntervalMs, renewalIntervalMs } from "./outbox.policy.ts";
import type { OutboxItem, OutboxSender } from "./outbox.ts";
import { OutboxStore } from "./outbox-store.ts";
import { systemTimers, type Timers } from "./timers.ts";

export interface DeliveryWorkerOptions {
  readonly database: Queryable;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The name of this process among the servers. */
  readonly serverId: string;
  /** By kind of item. */
  readonly senders: Readonly<Record<string, OutboxSender>>;
  /** Every lane that this server serves, and how many of its messages may be sent at once. */
  readonly lanes: Readonly<Record<string, number>>;
  /** The groups of lanes that it serves, by name. */
  readonly laneGroups?: Readonly<Record<string, LaneGroup>>;
  /** Called when it is recorded that messages were sent, or will not be. It must not throw. */
  readonly onFinished?: () => void;
  /** Undefined: attempts are not traced. */
  readonly tracing?: Tracing | undefined;
  /** Called after each attempt to send a message. It must not throw. */
  readonly onAttempt?: DispatcherOptions["onAttempt"];
  readonly timers?: Timers;
  readonly random?: () => number;
}

/**
 * Sends the messages of the outbox: those that this server just committed, at once; those that failed before, when they are due;
 * those of a server that crashed, when their claims have expired. Until it expires, no message is lost; a message may be sent
 * twice (if a server crashes after sending and before recording), and none is sent after it expired.
 *
 * States, and what the worker does in each:
 *
 * | state | polls and claims | sends what this server commits (`dispatch`) | renews claims |
 * |---|---|---|---|
 * | new | only when `poll` is called | yes | no |
 * | running | about once a second | yes | yes |
 * | draining | no | yes | yes |
 * | stopping | no | yes, until the grace period is over | yes |
 * | stopped | no | no | no |
 *
 * Transitions:
 *
 * - `start`: new → running.
 * - `drain`: new or running → draining.
 * - `stop`: new, running or draining → stopping; → stopped when nothing is held any more, or `graceMs` has passed. What is left
 *   then is aborted and released.
 */
export class DeliveryWorker {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #store: OutboxStore;
  readonly #dispatcher: Dispatcher;
  readonly #lanes: readonly string[];
  readonly #onFinished: () => void;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #cancels = new Map<string, () => void>();
  #state: "new" | "running" | "draining" | "stopping" | "stopped" = "new";
  #polling: Promise<void> | undefined;
  #hasRoom = false;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #isInterrupted = false;

  constructor(options: DeliveryWorkerOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onFinished = options.onFinished ?? (() => undefined);
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? Math.random;
    this.#lanes = Object.keys(options.lanes);
    this.#store = new OutboxStore(options.database, options.serverId, () => options.clock.monotonicMs());
    this.#dispatcher = new Dispatcher({
      store: this.#store,
      clock: options.clock,
      logger: options.logger,
      senders: options.senders,
      lanes: options.lanes,
      laneGroups: options.laneGroups ?? {},
      timers: this.#timers,
      random: this.#random,
      onRoom: () => this.pollSoon(),
      onFinished: this.#onFinished,
      tracing: options.tracing,
      onAttempt: options.onAttempt,
    });
  }

  /** Begins to poll for due items, about once a second. */
  start(): void {
    if (this.#state !== "new") {
      throw new TypeError("the worker was started before");
    }
    this.#state = "running";
    // Servers that started together should not poll together.
    this.#schedule(
      "poll",
      () => pollIntervalMs * (0.75 + this.#random() / 2),
      () => this.poll(),
    );
    this.#schedule(
      "renew",
      () => renewalIntervalMs,
      () => this.#renew(),
    );
  }

  /**
   * Sends an item that this server has just committed. Returns at once. An item that has to wait for too long is dropped here;
   * its row stays in the outbox, and a poll, of any server, finds it.
   */
  dispatch(item: OutboxItem): void {
    this.#dispatcher.accept(item, item.expiresAt.getTime() - item.createdAt.getTime());
  }

  /** Claims what is due now, and begins to send it. Resolves when that has begun (`idle`: when it is done). Never rejects. */
  async poll(): Promise<void> {
    this.#polling ??= this.#claimDue().finally(() => {
      this.#polling = undefined;
      if (this.#hasRoom) {
        this.pollSoon();
      }
    });
    await this.#polling;
  }

  /** Polls at once, or as soon as the poll that is running is done. Returns at once. */
  pollSoon(): void {
    this.#hasRoom = this.#polling !== undefined;
    if (!this.#hasRoom) {
      void this.poll();
    }
  }

  /** Resolves when this server sends nothing, holds nothing and claims nothing. */
  async idle(): Promise<void> {
    while (this.#polling !== undefined || !this.#dispatcher.isIdle) {
      await this.#polling;
      await this.#dispatcher.idle();
    }
  }

  /** Stops claiming. What this server commits is still sent, until `stop`. */
  drain(): void {
    if (this.#mayClaim) {
      this.#state = "draining";
      this.#cancel("poll");
    }
  }

  /**
   * Stops claiming and finishes what it holds, for `graceMs` at most; then aborts the rest and releases it to other servers, or
   * the next start. Resolves when no attempt is being made and every outcome is recorded: true if nothing was left.
   */
  async stop(graceMs: number): Promise<boolean> {
    this.drain();
    if (this.#state !== "draining") {
      return true;
    }
    this.#state = "stopping";
    await this.#polling;
    const grace = new Promise<void>((resolve) => {
      this.#cancels.set("grace", this.#timers.after(graceMs, resolve));
    });
    await Promise.race([this.#dispatcher.idle(), grace]);
    this.#state = "stopped";
    this.#cancel("grace");
    this.#cancel("renew");
    const left = this.#dispatcher.abortAll();
    await this.#withDatabase(() => this.#releaseUnused());
    await this.#dispatcher.idle();
    return left === 0;
  }

  get #mayClaim(): boolean {
    return this.#state === "new" || this.#state === "running";
  }

  async #claimDue(): Promise<void> {
    this.#dispatcher.advance();
    if (!this.#mayClaim) {
      return;
    }
    await this.#withDatabase(async () => {
      await this.#releaseUnused();
      const wanted = this.#dispatcher.wanted();
      if (wanted.size > 0) {
        const claimed = await this.#store.claimDue(wanted);
        for (const { item, remainingMs } of claimed) {
          this.#dispatcher.accept(item, remainingMs);
        }
        this.#dispatcher.claimed(
          wanted,
          claimed.map(({ item }) => item),
        );
      }
      for (const wants of this.#dispatcher.groupsWanted()) {
        const claimed = await this.#store.claimDueOfGroup(wants);
        for (const { item, remainingMs } of claimed) {
          this.#dispatcher.accept(item, remainingMs);
        }
        this.#dispatcher.claimedOfGroup(
          wants,
          claimed.map(({ item }) => item),
        );
      }
      await this.#sweepExpired();
    });
  }

  async #releaseUnused(): Promise<void> {
    const unused = this.#dispatcher.takeUnused();
    if (unused.length > 0) {
      try {
        await this.#store.release(unused);
      } catch (error) {
        this.#dispatcher.keepUnused(unused);
        throw error;
      }
    }
  }

  async #sweepExpired(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sweptAtMs >= expiryIntervalMs) {
      this.#sweptAtMs = nowMs;
      const count = await this.#store.expireOverdue(this.#lanes);
      if (count > 0) {
        this.#logger.warn("messages_expired", { count });
        this.#onFinished();
      }
    }
  }

  async #renew(): Promise<void> {
    const items = this.#dispatcher.underWay();
    if (items.length > 0) {
      await this.#withDatabase(async () => {
        const claimEndsAtMs = this.#clock.monotonicMs() + claimMs;
        this.#dispatcher.renewed(items, await this.#store.renew(items), claimEndsAtMs);
      });
    }
  }

  /** Runs work that needs the database. Logs once when that becomes unavailable, and once when it is available again. */
  async #withDatabase(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#isInterrupted) {
        this.#isInterrupted = false;
        this.#logger.info("delivery_resumed");
      }
    } catch (error) {
      if (!this.#isInterrupted) {
        this.#isInterrupted = true;
        this.#logger.error("delivery_interrupted", { error });
      }
    }
  }

  /** Repeats `work`, each time `delayMs` after it was done the last time. */
  #schedule(name: string, delayMs: () => number, work: () => Promise<void>): void {
    const cancel = this.#timers.after(delayMs(), () => {
      void work().then(() => {
        if (this.#cancels.has(name)) {
          this.#schedule(name, delayMs, work);
        }
      });
    });
    this.#cancels.set(name, cancel);
  }

  #cancel(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
