import type { Random } from "../../support/random.ts";

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** How messages travel in a run. */
export interface Weather {
  /** What most of them take at most. */
  readonly usualDelayMs: number;
  /** How many are late, and by how much at most. */
  readonly lateShare: number;
  readonly maxDelayMs: number;
  /** How many statements fail for the one who sent them, whether they still reach the database or not. */
  readonly failureShare: number;
  /** How many registrations fail, besides, and reach the database late. */
  readonly lateRegistrations: number;
  /** How many reads of credentials take up to two leases. */
  readonly slowReads: number;
  readonly lostNotifications: number;
}

/** Time, and everything that is on its way. */
export class World {
  readonly random: Random;
  readonly weather: Weather;
  nowMs = 0;
  #someProcessRan = false;
  #order = 0;
  /** A heap by time, then by order. */
  readonly #events: Event[] = [];

  constructor(random: Random, weather: Weather) {
    this.random = random;
    this.weather = weather;
  }

  after(delayMs: number, happen: () => void): void {
    this.#order += 1;
    const event = { atMs: this.nowMs + delayMs, order: this.#order, happen };
    let index = this.#events.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#events[parentIndex];
      if (parent === undefined || isBefore(parent, event)) {
        break;
      }
      this.#events[index] = parent;
      index = parentIndex;
    }
    this.#events[index] = event;
  }

  /** How long the next message takes. */
  delayMs(): number {
    const { usualDelayMs, lateShare, maxDelayMs } = this.weather;
    return this.random.chance(lateShare) ? this.random.next() * maxDelayMs : this.random.next() * usualDelayMs;
  }

  /** To be called when an event lets a process's code run. */
  processRuns(): void {
    this.#someProcessRan = true;
  }

  /** Lets events happen, one after another, and after each everything that follows from it at once. */
  async run(goesOn: () => boolean): Promise<number> {
    let happened = 0;
    for (;;) {
      const event = this.#events[0];
      if (event === undefined || !goesOn()) {
        return happened;
      }
      this.#removeFirst();
      this.nowMs = event.atMs;
      this.#someProcessRan = false;
      event.happen();
      happened += 1;
      // More turns than any step of the protocol takes until it waits for something else.
      for (let turn = 0; this.#someProcessRan && turn < 10; turn += 1) {
        await undefined;
      }
    }
  }

  #removeFirst(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) {
      return;
    }
    let index = 0;
    for (;;) {
      const left = events[2 * index + 1];
      const right = events[2 * index + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || isBefore(last, child)) {
        events[index] = last;
        return;
      }
      events[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
