import type { Mode } from "../access/caller.ts";
import { BatchedCounts } from "../database/batched-counts.ts";
import { change, type Database } from "../database/database.ts";
import { array, integer, statement, text } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";
import { maxHeldUsage, usageBatchSize, usageIntervalMs } from "./usage.policy.ts";

const addUsage = statement("add_usage")(
  {
    workspaceIds: array(text),
    modes: array(text),
    countries: array(text),
    keyIds: array(text),
    numbers: array(integer),
  },
  (p) => `
    SELECT usage_add(
      ${p.workspaceIds}, ${p.modes}, array_fill(''::text, ARRAY[cardinality(${p.workspaceIds})]), ${p.countries}, ${p.keyIds},
      ${p.numbers}
    )`,
);

/** Who looked up numbers, and of which country. Empty: there is none. */
export interface UsedLookups {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly country: string;
  readonly keyId: string;
}

interface Held extends UsedLookups {
  number: number;
}

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
  readonly logger: Logger;
}

/**
 * Counts lookups that no statement is run for, and adds them to the usage once a second: no lookup waits for a write. A server that
 * crashes loses those of its last second; if nobody can tell whether a batch was added, it counts as added: nothing is counted twice.
 */
export class UsageCounter {
  readonly #logger: Logger;
  readonly #batches: BatchedCounts<Held>;
  #held = new Map<string, Held>();
  #dropped = 0;

  constructor({ database, logger }: Dependencies) {
    this.#logger = logger;
    this.#batches = new BatchedCounts({
      intervalMs: usageIntervalMs,
      batchSize: usageBatchSize,
      take: () => this.#take(),
      hold: (held) => this.note(held, held.number),
      add: (batch) =>
        change(database, addUsage, {
          workspaceIds: batch.map(({ workspaceId }) => workspaceId),
          modes: batch.map(({ mode }) => mode),
          countries: batch.map(({ country }) => country),
          keyIds: batch.map(({ keyId }) => keyId),
          numbers: batch.map(({ number }) => number),
        }),
      drop: (batch, error) =>
        logger.warn("usage_dropped", { lookups: batch.reduce((sum, { number }) => sum + number, 0), error }),
    });
  }

  note(used: UsedLookups, number = 1): void {
    const name = `${used.workspaceId} ${used.mode} ${used.country} ${used.keyId}`;
    const held = this.#held.get(name);
    if (held !== undefined) {
      held.number += number;
    } else if (this.#held.size >= maxHeldUsage) {
      this.#dropped += number;
    } else {
      const { workspaceId, mode, country, keyId } = used;
      this.#held.set(name, { workspaceId, mode, country, keyId, number });
    }
  }

  /** Adds what was counted before. Never rejects: what the database did not take is added the next time. */
  flush(): Promise<void> {
    return this.#batches.flush();
  }

  /** Adds the rest, and stops. */
  stop(): Promise<void> {
    return this.#batches.stop();
  }

  #take(): Held[] {
    const held = [...this.#held.values()];
    this.#held = new Map();
    if (this.#dropped > 0) {
      this.#logger.warn("usage_dropped", { lookups: this.#dropped });
      this.#dropped = 0;
    }
    return held;
  }
}
