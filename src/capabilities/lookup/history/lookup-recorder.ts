import type { KeyCaller } from "../../../access/caller.ts";
import type { Clock } from "../../../clock.ts";
import { createId } from "../../../crypto/ids.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import { withoutDeadline } from "../../../database/call-deadline.ts";
import type { Database } from "../../../database/database.ts";
import { array, bytea, double, statement, text } from "../../../database/statement.ts";
import { AppError } from "../../../errors.ts";
import type { Logger } from "../../../observe/log.ts";
import { maxHeldLookups, writeBatchSize, writeIntervalMs } from "./history.policy.ts";
import { type FoundLookup, type NumberIndex, numberOf, sealLookup } from "./stored-lookup.ts";

/** Writes lookups of workspaces that still keep a history. It may be repeated. */
const write = statement("record_lookups")(
  {
    workspaceIds: array(text),
    ids: array(text),
    modes: array(text),
    numberIndexes: array(text),
    sealed: array(bytea),
    agesMs: array(double),
  },
  (p) => `
    WITH moment AS MATERIALIZED (SELECT byond_now() AS now)
    INSERT INTO lookup (workspace_id, id, mode, number_index, sealed, created_at)
    SELECT noted.workspace_id, noted.id, noted.mode, noted.number_index, noted.sealed,
      date_trunc('milliseconds', moment.now - noted.age_ms * interval '1 millisecond')
    FROM moment, unnest(
        ${p.workspaceIds}, ${p.ids}, ${p.modes}, ${p.numberIndexes}, ${p.sealed}, ${p.agesMs}
      ) AS noted (workspace_id, id, mode, number_index, sealed, age_ms),
      LATERAL (
        SELECT FROM workspace
        WHERE workspace.id = noted.workspace_id AND lookup_history AND deactivated_at IS NULL
        OFFSET 0
      ) AS keeping
    ON CONFLICT DO NOTHING`,
);

interface Held extends FoundLookup {
  readonly workspaceId: string;
  readonly id: string;
  readonly mode: KeyCaller["mode"];
  readonly atMs: number;
}

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
  readonly keyring: Keyring;
  readonly numberIndex: NumberIndex;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
}

/**
 * Records the lookups of workspaces that keep a history, in batches: no lookup waits for a write. What is not written yet is lost if the server is
 * killed, and so are lookups beyond those that a server holds.
 */
export class LookupRecorder {
  readonly #deps: Dependencies;
  readonly #timer: NodeJS.Timeout;
  #held: Held[] = [];
  #writing: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.flush(), writeIntervalMs).unref();
  }

  /** Records a lookup, if the caller's workspace keeps a history. */
  note({ lookupHistory, workspaceId, mode }: KeyCaller, found: FoundLookup): void {
    if (!lookupHistory) {
      return;
    }
    if (this.#held.length >= maxHeldLookups) {
      this.#dropped += 1;
      return;
    }
    this.#held.push({ ...found, workspaceId, mode, id: createId("lkp"), atMs: this.#deps.clock.monotonicMs() });
  }

  /** Writes the lookups that were noted before. Never rejects: what the database did not take is written the next time. */
  flush(): Promise<void> {
    if (this.#held.length > 0 || this.#dropped > 0) {
      this.#writing = this.#writing.then(() => this.#writeHeld());
    }
    return this.#writing;
  }

  /** Writes the rest, and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #writeHeld(): Promise<void> {
    for (let left = this.#held.length; left > 0; left -= writeBatchSize) {
      const batch = this.#held.slice(0, Math.min(left, writeBatchSize));
      if (!(await this.#write(batch))) {
        // The database is away: what comes after it would wait as long.
        break;
      }
      this.#held.splice(0, batch.length);
    }
    if (this.#dropped > 0) {
      this.#deps.logger.warn("lookups_not_recorded", { lookups: this.#dropped });
      this.#dropped = 0;
    }
  }

  /** Answers false if it has to be tried again. */
  async #write(batch: readonly Held[]): Promise<boolean> {
    const { database, keyring, numberIndex, clock } = this.#deps;
    const values = {
      workspaceIds: batch.map(({ workspaceId }) => workspaceId),
      ids: batch.map(({ id }) => id),
      modes: batch.map(({ mode }) => mode),
      numberIndexes: batch.map(({ result }) => numberIndex(keyring.current, numberOf(result))),
      sealed: batch.map((held) => sealLookup(keyring, held, held)),
    };
    try {
      await withoutDeadline(() =>
        database.transaction((transaction) => {
          // As late as possible: what passes until the database reads its clock is missing from the ages.
          const nowMs = clock.monotonicMs();
          return transaction.run(write, { ...values, agesMs: batch.map(({ atMs }) => nowMs - atMs) });
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof AppError && (error.code === "unavailable" || error.code === "outcome_unknown")) {
        return false;
      }
      this.#deps.logger.warn("lookups_not_recorded", { lookups: batch.length, error });
      return true;
    }
  }
}
