import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../../clock.ts";
import { withoutDeadline } from "../../../database/call-deadline.ts";
import { change, type Database } from "../../../database/database.ts";
import { array, integer, statement, text } from "../../../database/statement.ts";
import { AppError } from "../../../errors.ts";
import type { EventLog } from "../../../events/event-log.ts";
import { LruMap } from "../../../lru-map.ts";
import type { Logger } from "../../../observe/log.ts";
import { guessing } from "../verify.policy.ts";
import { type GuessSource, type GuessSourceKind, guessingRuleOf } from "./guess-source.ts";
import type { GuardModeSql } from "./slowed-source.ts";

/** In the order of the key: servers that add to the same rows wait for one another, and never in a circle. */
export const noteGuessesStatement = (modeOf: GuardModeSql) =>
  statement<{ isDetected: boolean }>("note_guesses")(
    {
      workspaceIds: array(text),
      sources: array(text),
      guessed: array(integer),
      approved: array(integer),
      shown: array(text),
      minGuessed: array(integer),
      slowedSeconds: array(integer),
    },
    (p) => `
      SELECT note_guesses(
        workspace_id, source, guessed, approved, shown::jsonb, mode, interval '${guessing.windowSeconds} seconds', min_guessed,
        ${guessing.ratio}, slowed_seconds * interval '1 second'
      ) AS is_detected
      FROM (
        SELECT *, ${modeOf("noted.workspace_id")} AS mode
        FROM unnest(
          ${p.workspaceIds}, ${p.sources}, ${p.guessed}, ${p.approved}, ${p.shown}, ${p.minGuessed}, ${p.slowedSeconds}
        ) AS noted (workspace_id, source, guessed, approved, shown, min_guessed, slowed_seconds)
        ORDER BY workspace_id, source
        OFFSET 0
      ) AS ordered
      WHERE mode <> 'off'`,
  );

/** What a server has counted of a source, and not added to the database yet. */
interface Held {
  readonly workspaceId: string;
  readonly source: GuessSource;
  guessed: number;
  approved: number;
  /** Monotonic. When something was last counted. */
  notedAtMs: number;
}

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly events: Pick<EventLog, "committed">;
  readonly logger: Logger;
  readonly note: ReturnType<typeof noteGuessesStatement>;
}

const maxHeld = 20_000;
const batchSize = 500;
/** Approvals of a source that are added without a wrong code: with fewer, the least number of wrong codes is twice as many in any case. */
const approvalsAtOnce = (kind: GuessSourceKind) => guessingRuleOf(kind).verifications / guessing.ratio;

/** Between two additions: a source can check so long after it has guessed too much. */
const pauseMs = 100;

/**
 * Counts verifications for which a wrong code was entered, and those that were approved, by the source of the code, and adds the numbers to the
 * database in batches: no check waits for a write, or for the row of its source. Approvals are added with a wrong code of their source, so that
 * it is judged by those that came before, too, or when they are many, so that other servers know of them: for nearly all checks, nothing is
 * written. What a crash loses is the last tenth of a second, and a few approvals.
 *
 * ```ts
 * guesses.note(workspaceId, sources, "guessed");  // after the commit of the check
 * ```
 */
export class GuessCounter {
  readonly #deps: Dependencies;
  readonly #known = new LruMap<string, Held>(maxHeld);
  readonly #stopping = new AbortController();
  #waiting = new Set<Held>();
  #running: Promise<void> | undefined;
  /** Whether something waits to be added. */
  #isAsked = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Counts a verification. Returns at once. */
  note(workspaceId: string, sources: readonly GuessSource[], outcome: "guessed" | "approved"): void {
    for (const source of sources) {
      const held = this.#heldFor(workspaceId, source);
      held[outcome] += 1;
      if (held.guessed > 0 || held.approved >= approvalsAtOnce(source.kind)) {
        this.#waiting.add(held);
        this.#isAsked = true;
      }
    }
    if (this.#isAsked) {
      this.#running ??= this.#addWhileAsked();
    }
  }

  /** Adds the rest, and stops. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#add();
  }

  #heldFor(workspaceId: string, source: GuessSource): Held {
    const key = `${workspaceId}/${source.key}`;
    const nowMs = this.#deps.clock.monotonicMs();
    const known = this.#known.get(key);
    const held = known ?? { workspaceId, source, guessed: 0, approved: 0, notedAtMs: nowMs };
    if (nowMs - held.notedAtMs > guessing.windowSeconds * 1_000) {
      held.approved = 0;
    }
    held.notedAtMs = nowMs;
    if (known === undefined) {
      this.#known.set(key, held);
    }
    return held;
  }

  async #addWhileAsked(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      // A check's deadline is not that of the addition that it happened to begin.
      await withoutDeadline(() => this.#add());
      await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.#running = undefined;
  }

  /** Never rejects: what the database did not take is added with what waits next. */
  async #add(): Promise<void> {
    const waiting = [...this.#waiting].map((held) => ({ held, guessed: held.guessed, approved: held.approved }));
    this.#waiting = new Set();
    for (const { held } of waiting) {
      held.guessed = 0;
      held.approved = 0;
    }
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize);
      if (!(await this.#write(batch))) {
        for (const { held, guessed, approved } of [...batch, ...waiting.splice(0)].slice(0, maxHeld)) {
          held.guessed += guessed;
          held.approved += approved;
          this.#waiting.add(held);
        }
      }
    }
  }

  /** Answers false if nothing was added. If nobody can tell, it counts as added: nothing is counted twice. */
  async #write(batch: readonly Counts[]): Promise<boolean> {
    const { database, events, logger, note } = this.#deps;
    try {
      const rows = await change(database, note, {
        workspaceIds: batch.map(({ held }) => held.workspaceId),
        sources: batch.map(({ held }) => held.source.key),
        guessed: batch.map(({ guessed }) => guessed),
        approved: batch.map(({ approved }) => approved),
        shown: batch.map(({ held: { source } }) => JSON.stringify({ kind: source.kind, value: source.value })),
        minGuessed: batch.map(({ held }) => guessingRuleOf(held.source.kind).verifications),
        slowedSeconds: batch.map(({ held }) => guessingRuleOf(held.source.kind).slowedSeconds),
      });
      if (rows.some(({ isDetected }) => isDetected)) {
        events.committed();
      }
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "unavailable") {
        return false;
      }
      logger.warn("guess_counts_dropped", { error });
      return true;
    }
  }
}

interface Counts {
  readonly held: Held;
  readonly guessed: number;
  readonly approved: number;
}
