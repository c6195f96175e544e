import { Circuit } from "./circuit.ts";
import { claimMs, type OutboxItem } from "./outbox.ts";

const longestQueue = 1_000;

/** An item that this server has claimed. */
export interface HeldItem {
  readonly item: OutboxItem;
  /** The newest claim: this server may find an item of its own due again after it lost sight of the database. */
  claim: number;
  /** Monotonic. From then on another server may have it. */
  claimEndsAtMs: number;
  /** Monotonic. Nothing is sent from then on. */
  readonly expiresAtMs: number;
  /** Set while an attempt is being made. */
  attempt: AbortController | undefined;
  /** Whether it had to wait for a place, or was found in the outbox. */
  hasWaited: boolean;
}

/** What travels through one provider: a bounded number of messages at a time, the others waiting in order. */
export class Lane {
  readonly name: string;
  readonly circuit: Circuit;
  readonly #limit: number;
  readonly #monotonicMs: () => number;
  readonly #queue: HeldItem[] = [];
  #active = 0;
  /** Whether the outbox may hold more than was asked for the last time. */
  mayHaveMore = false;

  constructor(name: string, limit: number, monotonicMs: () => number) {
    this.name = name;
    this.circuit = new Circuit(monotonicMs);
    this.#limit = limit;
    this.#monotonicMs = monotonicMs;
  }

  /** How many items could begin at once: more are not claimed, another server may have a place for them. */
  get wanted(): number {
    return Math.max(0, this.circuit.places(this.#limit) - this.#active - this.#queue.length);
  }

  /** Puts an item at the end. False if too many are waiting. */
  enqueue(held: HeldItem): boolean {
    if (this.#queue.length >= longestQueue) {
      return false;
    }
    this.#queue.push(held);
    return true;
  }

  /** Takes the next item whose turn it is, and its place; undefined if there is none, or no place. */
  next(): HeldItem | undefined {
    if (this.#active >= this.circuit.places(this.#limit)) {
      return undefined;
    }
    const held = this.#queue.shift();
    if (held !== undefined) {
      this.#active += 1;
    }
    return held;
  }

  /** Gives a place back. */
  leave(): void {
    this.#active -= 1;
  }

  /**
   * Removes the items that waited so long that the attempt might outlast their claim. They stay in the outbox, and
   * come back to whichever server has a place for them first.
   */
  dropStale(): HeldItem[] {
    const latestMs = this.#monotonicMs() + claimMs / 2;
    const isStale = (held: HeldItem) => held.claimEndsAtMs < latestMs;
    if (!this.#queue.some(isStale)) {
      return [];
    }
    const stale = this.#queue.filter(isStale);
    const fresh = this.#queue.filter((held) => !isStale(held));
    this.#queue.splice(0, this.#queue.length, ...fresh);
    return stale;
  }

  /** Removes everything that waits. */
  clear(): HeldItem[] {
    return this.#queue.splice(0);
  }
}
