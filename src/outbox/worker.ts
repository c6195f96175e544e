import type { Clock } from "../clock.ts";
import type { Queryable } from "../database/database.ts";
import type { Logger } from "../observe/log.ts";
import { Dispatcher } from "./dispatcher.ts";
import { claimMs, type OutboxItem, type OutboxSender } from "./outbox.ts";
import { OutboxStore } from "./outbox-store.ts";
import { systemTimers, type Timers } from "./timers.ts";

export interface DeliveryWorkerOptions {
  readonly database: Queryable;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this process among the servers. */
  readonly serverId: string;
  /** By kind of item. */
  readonly senders: Readonly<Record<string, OutboxSender>>;
  /** Every lane that this server serves, and how many of its messages may be on their way at once. */
  readonly lanes: Readonly<Record<string, number>>;
  readonly timers?: Timers;
  readonly random?: () => number;
}

const pollMs = 1_000;
const renewMs = claimMs / 3;
const expirySweepMs = 5_000;

/**
 * Sends what is in the outbox: what this server just wrote, at once; what failed before, when it is due; what another
 * server left behind when it died, after its claim ran out. A message may go out twice (a server that dies between
 * sending and recording cannot tell), never zero times while it has not expired, and never after.
 */
export class DeliveryWorker {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #store: OutboxStore;
  readonly #dispatcher: Dispatcher;
  readonly #lanes: readonly string[];
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #cancels = new Map<string, () => void>();
  #state: "new" | "running" | "draining" | "stopping" | "stopped" = "new";
  #polling: Promise<void> | undefined;
  #hasRoom = false;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #databaseIsAway = false;

  constructor(options: DeliveryWorkerOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
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
      timers: this.#timers,
      random: this.#random,
      onRoom: () => this.#pollForMore(),
    });
  }

  /** Begins to look for due items, about once a second. */
  start(): void {
    if (this.#state !== "new") {
      throw new TypeError("the worker was started before");
    }
    this.#state = "running";
    // Servers that started together should not ask together.
    this.#schedule(
      "poll",
      () => pollMs * (0.75 + this.#random() / 2),
      () => this.poll(),
    );
    this.#schedule(
      "renew",
      () => renewMs,
      () => this.#renew(),
    );
  }

  /**
   * Sends an item that this server has just committed. Returns at once, whatever becomes of it. An item that has to wait
   * for too long stays in the outbox, where it will be found.
   */
  dispatch(item: OutboxItem): void {
    this.#dispatcher.take(item, item.expiresAt.getTime() - item.createdAt.getTime());
  }

  /** Claims and begins what is due now. Resolves when it has begun; `idle` tells when it is done. Never rejects. */
  async poll(): Promise<void> {
    this.#polling ??= this.#claimDue().finally(() => {
      this.#polling = undefined;
      if (this.#hasRoom) {
        this.#pollForMore();
      }
    });
    await this.#polling;
  }

  /** Resolves when nothing is on its way on this server, nor waits for its turn, nor is being claimed. */
  async idle(): Promise<void> {
    while (this.#polling !== undefined || !this.#dispatcher.isIdle) {
      await this.#polling;
      await this.#dispatcher.idle();
    }
  }

  /** Claims nothing more. What this server writes itself, it goes on to send, until `stop`. */
  drain(): void {
    if (this.#mayClaim) {
      this.#state = "draining";
      this.#cancel("poll");
    }
  }

  /**
   * Claims nothing more and finishes what it holds, for `graceMs` at most; then aborts the rest, and leaves it to the
   * other servers or the next start. Resolves when no attempt is under way and every outcome is recorded; false if something
   * was left.
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
    const left = this.#dispatcher.giveUp();
    if (left.length > 0) {
      await this.#reach(() => this.#store.release(left));
    }
    await this.#dispatcher.idle();
    return left.length === 0;
  }

  get #mayClaim(): boolean {
    return this.#state === "new" || this.#state === "running";
  }

  /** Claims again as soon as the claim under way, if there is one, is done. */
  #pollForMore(): void {
    this.#hasRoom = this.#polling !== undefined;
    if (!this.#hasRoom) {
      void this.poll();
    }
  }

  async #claimDue(): Promise<void> {
    this.#dispatcher.advance();
    if (!this.#mayClaim) {
      return;
    }
    await this.#reach(async () => {
      const wanted = this.#dispatcher.wanted();
      if (wanted.size > 0) {
        const claimed = await this.#store.claimDue(wanted);
        for (const { item, remainingMs } of claimed) {
          this.#dispatcher.take(item, remainingMs);
        }
        this.#dispatcher.claimed(
          wanted,
          claimed.map(({ item }) => item),
        );
      }
      await this.#sweepExpired();
    });
  }

  async #sweepExpired(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sweptAtMs >= expirySweepMs) {
      this.#sweptAtMs = nowMs;
      const count = await this.#store.expireOverdue(this.#lanes);
      if (count > 0) {
        this.#logger.warn("messages expired unsent", { count });
      }
    }
  }

  async #renew(): Promise<void> {
    const items = this.#dispatcher.underWay();
    if (items.length > 0) {
      await this.#reach(async () => {
        const claimEndsAtMs = this.#clock.monotonicMs() + claimMs;
        this.#dispatcher.renewed(items, await this.#store.renew(items), claimEndsAtMs);
      });
    }
  }

  /** Does something with the database, which may be away for a while: the log tells once, and once when it is back. */
  async #reach(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#databaseIsAway) {
        this.#databaseIsAway = false;
        this.#logger.info("delivery goes on");
      }
    } catch (error) {
      if (!this.#databaseIsAway) {
        this.#databaseIsAway = true;
        this.#logger.error("delivery cannot use the database", { error });
      }
    }
  }

  /** Does `work` again and again, `delayMs` after it was done the last time. */
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
