import { setTimeout } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { withoutDeadline } from "../database/call-deadline.ts";
import type { Queryable } from "../database/database.ts";
import { array, statement, text } from "../database/statement.ts";

/** What waits in the outbox for one channel. */
export interface ChannelDepth {
  /** A lane, or a group of lanes. */
  readonly channel: string;
  /** `maxCounted` at most. */
  readonly messages: number;
  /** Since the oldest of them was written. */
  readonly oldestSeconds: number;
}

/** Rows that are read for a channel: 5 ms of PostgreSQL. */
const maxCounted = 10_000;
/** How long what was read is good for: any number of Prometheuses cost a statement in that time. */
const freshMs = 5_000;
/** A scrape does not wait longer for PostgreSQL. */
const patienceMs = 1_000;

/** Through the index of what is due, in its order. */
const ofLane = (lane: string, limit: number) => `
  SELECT created_at FROM outbox WHERE status = 'pending' AND lane = ${lane} ORDER BY available_at LIMIT ${limit}`;

const readDepth = statement<ChannelDepth>("outbox_depth")(
  { lanes: array(text), groups: array(text) },
  (p) => `
    SELECT channel, count(*)::integer AS messages,
      greatest(0, extract(epoch FROM byond_now() - min(created_at)))::float8 AS oldest_seconds
    FROM (
      SELECT wanted.lane AS channel, waiting.created_at
      FROM unnest(${p.lanes}) AS wanted (lane) CROSS JOIN LATERAL (${ofLane("wanted.lane", maxCounted)}) AS waiting
      UNION ALL
      SELECT wanted.lane_group, waiting.created_at
      FROM unnest(${p.groups}) AS wanted (lane_group) CROSS JOIN LATERAL (
        SELECT message.created_at
        FROM (SELECT lane FROM outbox_lane WHERE lane_group = wanted.lane_group ORDER BY due_at LIMIT 1000) AS receiver
        CROSS JOIN LATERAL (${ofLane("receiver.lane", 1_000)}) AS message
        LIMIT ${maxCounted}
      ) AS waiting
    ) AS message
    GROUP BY channel`,
);

export interface OutboxDepthOptions {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** The lanes outside groups, and the groups. */
  readonly lanes: readonly string[];
  readonly groups: readonly string[];
}

/** What waits in the outbox, on all servers together. */
export class OutboxDepth {
  readonly #options: OutboxDepthOptions;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #depths: readonly ChannelDepth[] = [];
  #reading: Promise<void> | undefined;

  constructor(options: OutboxDepthOptions) {
    this.#options = options;
  }

  /** Of each channel, as it was some seconds ago at most. None if PostgreSQL does not tell. Never rejects. */
  async read(): Promise<readonly ChannelDepth[]> {
    if (!this.#isFresh) {
      this.#reading ??= withoutDeadline(() => this.#read()).finally(() => {
        this.#reading = undefined;
      });
      await Promise.race([this.#reading, setTimeout(patienceMs, undefined, { ref: false })]);
    }
    return this.#isFresh ? this.#depths : [];
  }

  get #isFresh(): boolean {
    return this.#options.clock.monotonicMs() - this.#readAtMs < freshMs;
  }

  async #read(): Promise<void> {
    const { database, clock, lanes, groups } = this.#options;
    try {
      const found = new Map((await database.run(readDepth, { lanes, groups })).map((depth) => [depth.channel, depth]));
      this.#depths = [...lanes, ...groups].map(
        (channel) => found.get(channel) ?? { channel, messages: 0, oldestSeconds: 0 },
      );
      this.#readAtMs = clock.monotonicMs();
    } catch {
      // Whoever scrapes sees no value, and readiness says why.
    }
  }
}
