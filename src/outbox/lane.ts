import { Circuit } from "./circuit.ts";
import { laneMemoryMs, maxQueuedItems, minClaimLeftMs } from "./outbox.policy.ts";
import type { OutboxItem } from "./outbox.ts";

/** An item that this server has claimed. */
export interface HeldItem {
  readonly item: OutboxItem;
  /** The newest claim. After an outage of the database, this server may claim an item again that it still holds. */
  claim: number;
  /** Monotonic. From then on another server may claim it. */
  claimEndsAtMs: number;
  /** Monotonic. Nothing is sent from then on. */
  readonly expiresAtMs: number;
  /** Set while an attempt is being made. */
  attempt: AbortController | undefined;
  /** Accepts the item again, with a claim that was made since the outcome of the attempt was last written. */
  claimedAgain: (() => void) | undefined;
  /** Whether it waited for a place, or was claimed by a poll: see `OutboxSender.send`. */
  hasWaited: boolean;
}

/** The messages of one provider: a bounded number is sent at once, the others wait in order. */
export class Lane {
  readonly name: string;
  readonly circuit: Circuit;
  readonly #limit: number;
  readonly #monotonicMs: () => number;
  readonly #queue: HeldItem[] = [];
  #active = 0;
  /** Whether the outbox may hold more than was asked for the last time. */
  mayHaveMore = false;
  /** Monotonic. When it was last used. */
  #usedAtMs: number;

  constructor(name: string, limit: number, monotonicMs: () => number) {
    this.name = name;
    this.#usedAtMs = monotonicMs();
    this.circuit = new Circuit(monotonicMs);
    this.#limit = limit;
    this.#monotonicMs = monotonicMs;
  }

  /** How many more items could begin at once. No more are claimed: another server may have a place for them. */
  get wanted(): number {
    return Math.max(0, this.circuit.places(this.#limit) - this.#active - this.#queue.length);
  }

  /** Items that have a place or wait for one. */
  get held(): number {
    return this.#active + this.#queue.length;
  }

  /** Whether nothing would be lost by forgetting it: it holds nothing, and what its circuit knows is of no use any more. */
  get isForgettable(): boolean {
    return this.held === 0 && (this.circuit.isUnused || this.#monotonicMs() >= this.#usedAtMs + laneMemoryMs);
  }

  /** Puts an item at the end of the queue. Returns false if the queue is full. */
  enqueue(held: HeldItem): boolean {
    if (this.#queue.length >= maxQueuedItems) {
      return false;
    }
    this.#queue.push(held);
    this.#usedAtMs = this.#monotonicMs();
    return true;
  }

  /** Removes the first item of the queue and takes a place for it. Undefined if nothing waits, or there is no place. */
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

  /** Frees a place. */
  leave(): void {
    this.#active -= 1;
  }

  /**
   * Removes the items at the head of the queue that waited so long that an attempt might outlast their claim, and none behind one that
   * did not: each is at the head before its attempt. Their rows stay in the outbox, where any server that has a place claims them.
   */
  dropStale(): HeldItem[] {
    const latestMs = this.#monotonicMs() + minClaimLeftMs;
    const fresh = this.#queue.findIndex((held) => held.claimEndsAtMs >= latestMs);
    return this.#queue.splice(0, fresh === -1 ? this.#queue.length : fresh);
  }

  /** Empties the queue. */
  clear(): HeldItem[] {
    return this.#queue.splice(0);
  }
}
