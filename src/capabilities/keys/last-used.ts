import type { Clock } from "../../clock.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text, timestamptz } from "../../database/statement.ts";
import type { Logger } from "../../observe/log.ts";
import { lastUsedIntervalMs } from "./keys.policy.ts";

const updateLastUsed = statement("update_last_used")(
  { ids: array(text), times: array(timestamptz) },
  (p) => `
    UPDATE api_key SET last_used_at = greatest(api_key.last_used_at, used.at)
    FROM unnest(${p.ids}, ${p.times}) AS used (id, at)
    WHERE api_key.id = used.id`,
);

interface Dependencies {
  readonly database: Queryable;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Remembers when keys were used, and writes it in batches: no request waits for a write. */
export class LastUsed {
  readonly #deps: Dependencies;
  #pending = new Map<string, Date>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Notes that the key is used now. */
  touch(keyId: string): void {
    this.#pending.set(keyId, this.#deps.clock.now());
    this.#timer ??= setTimeout(() => void this.flush(), lastUsedIntervalMs).unref();
  }

  /** Writes the batch. If that fails, it is written with the next one. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#pending;
    if (batch.size === 0) {
      return;
    }
    this.#pending = new Map();
    try {
      const used = { ids: [...batch.keys()], times: [...batch.values()] };
      // It is begun by one request, and written for all.
      await withoutDeadline(() => this.#deps.database.run(updateLastUsed, used));
    } catch (error) {
      this.#deps.logger.warn("last_use_not_recorded", { keys: batch.size, error });
      this.#pending = new Map([...batch, ...this.#pending]);
      this.#timer ??= setTimeout(() => void this.flush(), lastUsedIntervalMs).unref();
    }
  }
}
