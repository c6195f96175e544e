import type { Logger } from "../observe/log.ts";
import { StandingDelay } from "./standing-delay.ts";

/**
 * When an RPC is refused, if more calls come than can be served. `first`: before anything else, for calls that need no database. `second`: when refusing all
 * of those is not enough, or when calls wait too long for a connection of the database. Calls with no such mark are never refused.
 */
export type ShedOrder = "first" | "second";

/** What decides which calls are refused. */
export interface Shedding {
  /** Whether calls may have to be refused at all. */
  readonly isActive: boolean;
  /** How late the event loop was, and how long connections of the database were waited for, when they were measured last. */
  readonly delaysMs: { readonly loop: number; readonly database: number };
  /** To be called for every request. */
  arrived(): void;
  /** Whether a call that arrives now is refused. */
  sheds(order: ShedOrder): boolean;
}

export interface LoadShedderOptions {
  /** Of the process, not of the tests' clock: it measures the event loop. */
  readonly monotonicMs: () => number;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly database: DatabaseWaits;
}

/** How long calls wait for a connection of the pool. */
export interface DatabaseWaits {
  /** The shortest wait that ended since this was asked last. If none did, the age of the longest. */
  takeStandingMs(): number;
  /** How long the call has waited that waits longest. 0 if none waits. */
  readonly oldestMs: number;
  /** How many calls wait. */
  readonly count: number;
}

/**
 * What is refused. 0: nothing. 1: calls marked `first`, as far as needed. 2: all of them, and calls marked `second` as far as needed.
 */
type Level = 0 | 1 | 2;

/**
 * Fewer requests that wait are no overload, however long they do: the machine is slow, and to refuse some of them would not make it faster. CoDel leaves a
 * queue of one packet alone, too.
 */
const minQueue = 32;
/** How often the delay of the event loop is measured: by how much a timer is late. */
const calmPeriodMs = 50;
const busyPeriodMs = 10;
/**
 * A delay of the event loop above these stands for a queue of requests that are not read yet: each of them waits at least as long. 100 ms are 400 lookups that
 * wait at once.
 */
const levelDelaysMs: Readonly<Record<1 | 2, number>> = { 1: 100, 2: 250 };
const loopPatienceMs = 500;
/** A delay at which there is no time to see whether level 1 is enough. */
const severeDelayMs = 500;
/** What one turn of the event loop may take, beyond `busyPeriodMs`, before it refuses calls. */
const turnBudgetMs = 25;
/** A database that is slow for a second is not overloaded. */
const databaseWaitMs = 250;
const databasePatienceMs = 1_500;
const databaseBudgetMs = 100;
/** An overload is over when nothing had to be refused for that long. */
const calmMs = 2_000;

/**
 * Refuses calls while more come than can be served, so that those that matter most are answered in time: lookups first, then starts, never checks and
 * revocations. Which they are is declared by capabilities (`CapabilityService.shed`).
 *
 * - **When**: if the event loop is late, or a connection of the database is waited for, for some time and without getting better (`StandingDelay`).
 * - **What**: the level says what may be refused. A turn of the event loop serves what it can in `turnBudgetMs` and refuses the rest of it: so as much is
 *   served as the machine can do, whatever that is, and the loop comes round.
 * - **Until**: nothing had to be refused for `calmMs`. The level falls one at a time.
 */
export class LoadShedder implements Shedding {
  readonly #options: LoadShedderOptions;
  readonly #database = new StandingDelay({ targetMs: databaseWaitMs, patienceMs: databasePatienceMs });
  #loop = new StandingDelay({ targetMs: levelDelaysMs[1], patienceMs: loopPatienceMs });
  #level: Level = 0;
  #isDatabaseBusy = false;
  #dueMs: number;
  /** When a call was refused, or the level rose, for the last time: by the event loop, and by the database. */
  #strainedAtMs = 0;
  #databaseStrainedAtMs = 0;
  #delaysMs = { loop: 0, database: 0 };
  /** Since the event loop was measured last: all that waited while it was late. */
  #arrived = 0;
  #beganAtMs = 0;
  #refused = 0;

  constructor(options: LoadShedderOptions) {
    this.#options = options;
    this.#dueMs = options.monotonicMs() + calmPeriodMs;
  }

  get isActive(): boolean {
    return this.#level > 0 || this.#isDatabaseBusy;
  }

  get delaysMs(): { readonly loop: number; readonly database: number } {
    return this.#delaysMs;
  }

  arrived(): void {
    this.#arrived += 1;
  }

  sheds(order: ShedOrder): boolean {
    if (!this.isActive) {
      return false;
    }
    const nowMs = this.#options.monotonicMs();
    const isLate = nowMs - this.#dueMs > turnBudgetMs;
    if (this.#level === 2 ? order === "first" || isLate : this.#level === 1 && order === "first" && isLate) {
      // At level 2, calls marked `first` are refused without need: that says nothing about the strain.
      if (this.#level === 1 || order === "second") {
        this.#strainedAtMs = nowMs;
      }
      this.#refused += 1;
      return true;
    }
    if (order === "second" && this.#isDatabaseBusy && this.#options.database.oldestMs > databaseBudgetMs) {
      this.#databaseStrainedAtMs = nowMs;
      this.#refused += 1;
      return true;
    }
    return false;
  }

  /** Measures from now on, until the returned function is called. Does not keep the process alive. */
  start(): () => void {
    let timer: NodeJS.Timeout;
    const next = () => {
      timer = setTimeout(() => {
        this.tick();
        next();
      }, this.#periodMs).unref();
    };
    this.#dueMs = this.#options.monotonicMs() + this.#periodMs;
    next();
    return () => clearTimeout(timer);
  }

  /** The timer has fired, late or not. */
  tick(): void {
    const nowMs = this.#options.monotonicMs();
    const wasActive = this.isActive;
    const loopMs = Math.max(0, nowMs - this.#dueMs);
    const databaseMs = this.#options.database.takeStandingMs();
    this.#delaysMs = { loop: loopMs, database: databaseMs };
    this.#loop.observe(this.#arrived < minQueue ? 0 : loopMs, nowMs);
    this.#database.observe(this.#options.database.count < minQueue ? 0 : databaseMs, nowMs);
    this.#arrived = 0;
    if (this.#loop.isStanding && this.#level < 2) {
      this.#setLevel(this.#level === 0 && loopMs < severeDelayMs ? 1 : 2, nowMs);
    } else if (this.#level > 0 && nowMs - this.#strainedAtMs >= calmMs) {
      this.#setLevel(this.#level === 2 ? 1 : 0, nowMs);
    }
    if (this.#database.isStanding) {
      this.#isDatabaseBusy = true;
      this.#databaseStrainedAtMs = nowMs;
    } else if (nowMs - this.#databaseStrainedAtMs >= calmMs) {
      this.#isDatabaseBusy = false;
    }
    if (this.isActive !== wasActive) {
      this.#logChange(nowMs);
    }
    this.#dueMs = nowMs + this.#periodMs;
  }

  get #periodMs(): number {
    return this.isActive ? busyPeriodMs : calmPeriodMs;
  }

  #setLevel(level: Level, nowMs: number): void {
    this.#level = level;
    this.#strainedAtMs = nowMs;
    this.#loop = new StandingDelay({ targetMs: levelDelaysMs[level === 0 ? 1 : 2], patienceMs: loopPatienceMs });
  }

  #logChange(nowMs: number): void {
    const { logger } = this.#options;
    if (this.isActive) {
      this.#beganAtMs = nowMs;
      this.#refused = 0;
      logger.warn("overload_began", {
        event_loop_delay_ms: Math.round(this.#delaysMs.loop),
        database_wait_ms: Math.round(this.#delaysMs.database),
      });
    } else {
      logger.info("overload_ended", {
        seconds: Math.round((nowMs - this.#beganAtMs) / 100) / 10,
        refused_calls: this.#refused,
      });
    }
  }
}
