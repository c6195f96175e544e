import { setTimeout as pause } from "node:timers/promises";
import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import type { Logger } from "../../observe/log.ts";

/** An event with its place in the log. */
export interface PlacedEvent {
  /** Positions ascend, and nothing gets one below one that was read. */
  readonly position: number;
  readonly workspaceId: string;
  readonly mode: Mode;
}

/** The end of the log of events: `EventLog`. */
export interface LogEnd<E extends PlacedEvent> {
  /** Calls the listener whenever there are new events, with the last position. Returns a function that ends it. */
  onNumbered(listener: (lastPosition: number) => void): () => void;
  /** The events after a position, of all workspaces, in order: `limit` at most. */
  readAfter(position: number, limit: number): Promise<readonly E[]>;
  /** The position of the last event. 0 if there is none. */
  lastPosition(): Promise<number>;
}

export interface EventHubOptions<E extends PlacedEvent, Shown> {
  readonly log: LogEnd<E>;
  /** Turns events into what readers get, all of them at once. */
  readonly show: (events: readonly E[]) => Promise<readonly Shown[]>;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  /** Events that are kept for readers. One that has fallen further behind reads the table itself. */
  readonly windowSize: number;
  /** How long they are kept: what was erased since must not be shown for longer. */
  readonly windowMs: number;
  /** How long it waits before it asks a database again that failed. */
  readonly retryMs: number;
}

/** An event in the window. */
export interface WindowEntry<E, Shown> {
  readonly event: E;
  readonly shown: Shown;
}

const maxShowFailures = 3;

/** What a reader of one workspace and mode sees of the hub. To be disposed of. */
export interface Follower<E, Shown> extends Disposable {
  /** Everything up to this position is either in the window, or was in it, or is said to be `missed`. */
  readonly tail: number;
  /** The first event after a position, of the workspace and mode. `missed`: there may be one that is only in the table. */
  next(position: number): WindowEntry<E, Shown> | "missed" | undefined;
  /** Resolves when there may be another answer to `next`, when the time has passed, when the signal aborts, and when the hub closes. */
  changed(withinMs: number): Promise<void>;
}

/** The events of one workspace and mode that are in the window. */
interface Topic<E, Shown> {
  /** In order. */
  readonly entries: WindowEntry<E, Shown>[];
  readonly followers: Set<() => void>;
  /** Up to this position, events are in the table only. */
  missedUpTo: number;
}

interface Kept<E, Shown> {
  readonly topic: Topic<E, Shown>;
  readonly position: number;
  readonly readAtMs: number;
}

/**
 * Hands the events of one server's log to all of its readers: each is read and shown once, whenever the log says that there are
 * new ones, and kept for a moment in a window of bounded size. No reader asks the database for what others are told.
 *
 * A reader has a position, and asks for the event after it (`Follower.next`). What left the window before it asked, or never was in it,
 * is `missed`: the reader then reads the table, from its position to `tail`, and asks again. So a reader that is slow, or that begins
 * far behind, costs nobody anything but itself.
 *
 * States:
 *
 * - **idle**: nobody follows. Nothing is read.
 * - **following**: the position of the last event was read when the first reader came. From there on everything is read, in order.
 * - **closed**: final. Readers are woken, and end.
 *
 * If the database fails, it is asked again until it answers: the position stays where it was, so nothing is lost.
 */
export class EventHub<E extends PlacedEvent, Shown> {
  readonly #options: EventHubOptions<E, Shown>;
  readonly #topics = new Map<string, Topic<E, Shown>>();
  /** What is in the entries of all topics, the oldest first. */
  #window: Kept<E, Shown>[] = [];
  /** Undefined: idle. */
  #tail: number | undefined;
  #starting: Promise<void> | undefined;
  /** The last position that the log has told of. */
  #lastPosition = 0;
  #isReading = false;
  #isFailing = false;
  #showFailures = 0;
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;

  constructor(options: EventHubOptions<E, Shown>) {
    this.#options = options;
    this.#stopListening = options.log.onNumbered((lastPosition) => {
      this.#lastPosition = Math.max(this.#lastPosition, lastPosition);
      this.#readOn();
    });
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** How many readers there are. */
  get followers(): number {
    return [...this.#topics.values()].reduce((sum, { followers }) => sum + followers.size, 0);
  }

  /** Wakes all readers for the last time. */
  close(): void {
    this.#stopListening();
    this.#closing.abort();
    for (const topic of this.#topics.values()) {
      wake(topic);
    }
  }

  /** Begins to follow. Events after `tail` will be in the window. Rejects if the database fails. */
  async follow(workspaceId: string, mode: Mode, signal: AbortSignal): Promise<Follower<E, Shown>> {
    const name = topicName(workspaceId, mode);
    const topic = this.#topics.get(name) ?? { entries: [], followers: new Set(), missedUpTo: this.#tail ?? 0 };
    this.#topics.set(name, topic);
    let onChange: () => void = () => undefined;
    const wakeUp = () => onChange();
    topic.followers.add(wakeUp);
    const leave = () => {
      signal.removeEventListener("abort", wakeUp);
      topic.followers.delete(wakeUp);
      this.#forgetIfUnused(name, topic);
    };
    try {
      await this.#start();
    } catch (error) {
      leave();
      throw error;
    }
    signal.addEventListener("abort", wakeUp, { once: true });
    const tail = () => this.#tail ?? 0;
    return {
      get tail() {
        return tail();
      },
      next: (position) => this.#next(topic, position),
      changed: (withinMs) =>
        new Promise((resolve) => {
          const timer = setTimeout(wakeUp, withinMs).unref();
          onChange = () => {
            clearTimeout(timer);
            resolve();
          };
          if (signal.aborted || this.isClosed) {
            onChange();
          }
        }),
      [Symbol.dispose]: leave,
    };
  }

  #next(topic: Topic<E, Shown>, position: number): WindowEntry<E, Shown> | "missed" | undefined {
    this.#dropOld();
    return position < topic.missedUpTo ? "missed" : topic.entries[firstAfter(topic.entries, position)];
  }

  /** Reads where the log ends, if nobody has followed it so far. */
  async #start(): Promise<void> {
    if (this.#tail === undefined) {
      this.#starting ??= withoutDeadline(() => this.#readTail()).finally(() => {
        this.#starting = undefined;
      });
      await this.#starting;
    }
  }

  async #readTail(): Promise<void> {
    const tail = await this.#options.log.lastPosition();
    if (this.#topics.size === 0) {
      return;
    }
    this.#tail = tail;
    for (const topic of this.#topics.values()) {
      topic.missedUpTo = tail;
    }
    this.#readOn();
  }

  /** The last reader of a topic takes it along; the last one of all leaves the hub idle. */
  #forgetIfUnused(name: string, topic: Topic<E, Shown>): void {
    if (topic.followers.size > 0 || this.#topics.get(name) !== topic) {
      return;
    }
    this.#topics.delete(name);
    this.#window = this.#window.filter((kept) => kept.topic !== topic);
    if (this.#topics.size === 0) {
      this.#tail = undefined;
    }
  }

  #readOn(): void {
    if (!this.#isReading && this.#hasMore()) {
      this.#isReading = true;
      void withoutDeadline(() => this.#readWhileMore());
    }
  }

  #hasMore(): boolean {
    return this.#tail !== undefined && this.#tail < this.#lastPosition && !this.isClosed;
  }

  /** Never rejects. */
  async #readWhileMore(): Promise<void> {
    const { logger, retryMs } = this.#options;
    while (this.#hasMore()) {
      try {
        await this.#readBatch();
        if (this.#isFailing) {
          this.#isFailing = false;
          logger.info("event_streams_resumed");
        }
      } catch (error) {
        if (!this.#isFailing) {
          this.#isFailing = true;
          logger.warn("event_streams_stalled", { error });
        }
        await pause(retryMs, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    // In the same turn as the look for more: what is told of in between would be forgotten.
    this.#isReading = false;
  }

  async #readBatch(): Promise<void> {
    const { log, windowSize } = this.#options;
    const from = this.#tail;
    const upTo = this.#lastPosition;
    if (from === undefined) {
      return;
    }
    if (upTo - from > windowSize) {
      // After a long outage. What does not fit the window is read by those whom it concerns.
      this.#moveTail(from, upTo, [...this.#topics.values()]);
      return;
    }
    const events = await log.readAfter(from, windowSize);
    const known = new Map(this.#topics);
    const concerned = events.filter(({ workspaceId, mode }) => known.has(topicName(workspaceId, mode)));
    const shown = concerned.length === 0 ? [] : await this.#show(concerned);
    const readAtMs = this.#options.clock.monotonicMs();
    const changed = new Set<Topic<E, Shown>>();
    for (const [index, event] of concerned.entries()) {
      const topic = known.get(topicName(event.workspaceId, event.mode));
      const item = shown?.[index];
      if (topic !== undefined && item !== undefined && topic.followers.size > 0) {
        topic.entries.push({ event, shown: item });
        this.#window.push({ topic, position: event.position, readAtMs });
        changed.add(topic);
      }
    }
    const last = events.length < windowSize ? upTo : 0;
    // Who came in the meantime has not got these events, and nobody has if they could not be shown.
    const isMissing = ([name, topic]: [string, Topic<E, Shown>]) => shown === undefined || known.get(name) !== topic;
    const missing = [...this.#topics].filter(isMissing).map(([, topic]) => topic);
    this.#moveTail(from, Math.max(last, events.at(-1)?.position ?? 0), missing);
    this.#dropOld();
    changed.forEach(wake);
  }

  /**
   * Undefined after a few failures: an event that cannot be shown must not hold up all others. Its readers will find it in the table, and
   * fail.
   */
  async #show(events: readonly E[]): Promise<readonly Shown[] | undefined> {
    try {
      const shown = await this.#options.show(events);
      this.#showFailures = 0;
      return shown;
    } catch (error) {
      this.#showFailures += 1;
      if (this.#showFailures < maxShowFailures) {
        throw error;
      }
      this.#showFailures = 0;
      return undefined;
    }
  }

  /** `missing`: the topics whose events up to there are not in the window. */
  #moveTail(from: number, to: number, missing: readonly Topic<E, Shown>[]): void {
    // Everybody left in the meantime, and perhaps somebody came again.
    if (this.#tail !== from) {
      return;
    }
    this.#tail = to;
    for (const topic of missing) {
      topic.missedUpTo = Math.max(topic.missedUpTo, to);
      wake(topic);
    }
  }

  /** Empties the window of what is too much or too old. */
  #dropOld(): void {
    const { clock, windowMs, windowSize } = this.#options;
    const oldestMs = clock.monotonicMs() - windowMs;
    const excess = this.#window.length - windowSize;
    let dropped = 0;
    for (const { topic, position, readAtMs } of this.#window) {
      if (dropped >= excess && readAtMs >= oldestMs) {
        break;
      }
      topic.entries.shift();
      topic.missedUpTo = Math.max(topic.missedUpTo, position);
      dropped += 1;
    }
    if (dropped > 0) {
      this.#window.splice(0, dropped);
    }
  }
}

function topicName(workspaceId: string, mode: Mode): string {
  return `${mode} ${workspaceId}`;
}

function wake({ followers }: Topic<unknown, unknown>): void {
  for (const wakeUp of followers) {
    wakeUp();
  }
}

/** The index of the first entry after a position. */
function firstAfter(entries: readonly WindowEntry<PlacedEvent, unknown>[], position: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && entry.event.position <= position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
