import { setTimeout as pause } from "node:timers/promises";
import type { Mode } from "../access/caller.ts";
import type { Clock } from "../clock.ts";
import { withoutDeadline } from "../database/call-deadline.ts";
import type { Queryable } from "../database/database.ts";
import { bigint, integer, statement } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";
import { fallbackIntervalMs, numberingBatchSize, numberingPauseMs, settlingMs } from "./events.policy.ts";

/** An event as it is stored. */
export interface StoredEvent {
  /** The order in which events can be read, across all workspaces. */
  readonly position: number;
  readonly id: string;
  readonly workspaceId: string;
  readonly mode: Mode;
  /** Such as `verification.started`. */
  readonly type: string;
  readonly subjectId: string;
  readonly createdAt: Date;
  /** JSON: the object's own columns at that moment, as its capability wrote them. */
  readonly snapshot: string;
}

/** The columns of a `StoredEvent`, in SQL. */
export const storedEventColumns =
  "position::float8, id, workspace_id, mode, type, subject_id, created_at, snapshot::text";

const number = statement<{ moved: number; lastNumber: number; lastPosition: number }>("number_events")(
  { afterNumber: bigint, batch: integer },
  (p) => `
    SELECT moved, last_number::float8, last_position::float8 FROM number_events(${p.afterNumber}, ${p.batch})`,
);

const readAfter = statement<StoredEvent>("read_events_after")(
  { position: bigint, limit: integer },
  (p) => `
    SELECT ${storedEventColumns} FROM event WHERE position > ${p.position} ORDER BY position LIMIT ${p.limit}`,
);

const readLast = statement<{ position: number }>("read_last_event_position")(
  {},
  () => "SELECT coalesce(max(position), 0)::float8 AS position FROM event",
);

export interface EventLogOptions {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
}

/** Called with the last position, when there are events up to it. It must not throw. */
export type NumberedListener = (lastPosition: number) => void;

/**
 * The events of all workspaces, in one order that every reader sees without gaps.
 *
 * A capability writes an event by an INSERT into `event_pending`, in the statement or trigger that makes the event true. Its position
 * is given after the commit (`number_events`), by any server: by this one when `committed` is called, and otherwise within a second.
 * What has a position has it for good, and nothing gets a lower one later.
 *
 * Whatever has to happen exactly once for each event is an AFTER INSERT trigger on `event`, for each statement, with its new rows as
 * a transition table. It runs in the transaction that gives the positions, whichever server and version does that.
 *
 * ```ts
 * events.committed();                                  // after the commit of something that wrote an event
 * const stop = events.onNumbered(() => void readOn());  // and then, from the position that was read last:
 * const next = await events.readAfter(position, 100);
 * ```
 */
export class EventLog {
  readonly #options: EventLogOptions;
  readonly #listeners = new Set<NumberedListener>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isFailing = false;
  /** Halved by each failure and doubled by each success: a batch may be too much for the time that a statement has. */
  #batchSize = numberingBatchSize;
  #lastPosition = 0;
  #lastNumber = 0;
  /** Two numbers that were the last one, the second at least `settlingMs` ago: lower ones are moved by now, or never come. */
  #settling = 0;
  #settled = 0;
  #settlingSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** Begins to look for events that nobody gave a position. */
  start(): void {
    // Servers that started together should not look together.
    this.#timer = setInterval(() => this.committed(), fallbackIntervalMs * (0.75 + Math.random() / 4)).unref();
  }

  /** Gives positions to what is committed by now. Returns at once. Call it after the commit of whatever writes events. */
  committed(): void {
    this.#isAsked = true;
    this.#running ??= this.#numberWhileAsked();
  }

  /** Calls the listener whenever events got positions, on whichever server. Returns a function that ends it. */
  onNumbered(listener: NumberedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes the payload of a notification on `eventChannel`. */
  notified(payload: string): void {
    this.#reached(Number(payload));
  }

  /** The events after a position, of all workspaces, in order: `limit` at most. */
  async readAfter(position: number, limit: number): Promise<StoredEvent[]> {
    return this.#options.database.run(readAfter, { position, limit });
  }

  /** The position of the last event. 0 if there is none. */
  async lastPosition(): Promise<number> {
    const [row] = await this.#options.database.run(readLast, {});
    return row?.position ?? 0;
  }

  /** Stops, after giving positions to what this server has committed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#timer);
    await this.#running;
    if (this.#isAsked) {
      await this.#number();
    }
  }

  async #numberWhileAsked(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      // A call's deadline is not that of the numbering that it happened to begin.
      await withoutDeadline(() => this.#number());
      await pause(numberingPauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.#running = undefined;
  }

  /** Never rejects: what is left is found a second later, by this server or another one. */
  async #number(): Promise<void> {
    try {
      let size: number;
      let moved: number;
      do {
        size = this.#batchSize;
        moved = await this.#numberBatch(size);
        this.#batchSize = Math.min(2 * size, numberingBatchSize);
        // Or more: what was committed while it looked where the batch ends is moved, too.
      } while (moved >= size);
      if (this.#isFailing) {
        this.#isFailing = false;
        this.#options.logger.info("event_numbering_resumed");
      }
    } catch (error) {
      this.#batchSize = Math.ceil(this.#batchSize / 2);
      if (!this.#isFailing) {
        this.#isFailing = true;
        this.#options.logger.warn("event_numbering_failed", { error });
      }
    }
  }

  async #numberBatch(batch: number): Promise<number> {
    const [row] = await this.#options.database.run(number, {
      afterNumber: this.#numberToStartAfter(),
      batch,
    });
    if (row === undefined) {
      throw new TypeError("number_events answers one row");
    }
    this.#lastNumber = Math.max(this.#lastNumber, row.lastNumber);
    this.#reached(row.lastPosition);
    return row.moved;
  }

  /** Now and then all are looked for: 0. */
  #numberToStartAfter(): number {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#settlingSinceMs < settlingMs) {
      return this.#settled;
    }
    this.#settled = this.#settling;
    this.#settling = this.#lastNumber;
    this.#settlingSinceMs = nowMs;
    return 0;
  }

  #reached(position: number): void {
    if (position > this.#lastPosition) {
      this.#lastPosition = position;
      for (const listener of this.#listeners) {
        listener(position);
      }
    }
  }
}
