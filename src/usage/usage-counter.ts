import type { Mode } from "../access/caller.ts";
import { withoutDeadline } from "../database/call-deadline.ts";
import { change, type Database } from "../database/database.ts";
import { array, integer, statement, text } from "../database/statement.ts";
import { AppError } from "../errors.ts";
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
  readonly #deps: Dependencies;
  readonly #timer: NodeJS.Timeout;
  #held = new Map<string, Held>();
  #flushing: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.flush(), usageIntervalMs).unref();
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
    if (this.#held.size > 0 || this.#dropped > 0) {
      this.#flushing = this.#flushing.then(() => this.#flush());
    }
    return this.#flushing;
  }

  /** Adds the rest, and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #flush(): Promise<void> {
    const waiting = [...this.#held.values()];
    this.#held = new Map();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, usageBatchSize);
      if (!(await this.#write(batch))) {
        // The database is away: what comes after it would wait as long.
        for (const held of [...batch, ...waiting.splice(0)]) {
          this.note(held, held.number);
        }
      }
    }
    if (this.#dropped > 0) {
      this.#deps.logger.warn("usage_dropped", { lookups: this.#dropped });
      this.#dropped = 0;
    }
  }

  /** Answers false if nothing was added, so that it can be tried again. */
  async #write(batch: readonly Held[]): Promise<boolean> {
    try {
      await withoutDeadline(() =>
        change(this.#deps.database, addUsage, {
          workspaceIds: batch.map(({ workspaceId }) => workspaceId),
          modes: batch.map(({ mode }) => mode),
          countries: batch.map(({ country }) => country),
          keyIds: batch.map(({ keyId }) => keyId),
          numbers: batch.map(({ number }) => number),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "unavailable") {
        return false;
      }
      this.#deps.logger.warn("usage_dropped", {
        lookups: batch.reduce((sum, { number }) => sum + number, 0),
        error,
      });
      return true;
    }
  }
}
