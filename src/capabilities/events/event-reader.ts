import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { withDeadline, withoutDeadline } from "../../database/call-deadline.ts";
import type { Queryable } from "../../database/database.ts";
import { bigint, integer, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { type StoredEvent, storedEventColumns } from "../../events/event-log.ts";
import type { Follower } from "./event-hub.ts";
import { streaming } from "./events.policy.ts";

/** Where a reader is in the log of its workspace and mode. */
export interface Place {
  /** It has seen everything up to here. */
  readonly position: number;
  /** The last event up to there. Undefined: there is none that is still kept. */
  readonly event: Pick<StoredEvent, "id" | "position" | "createdAt"> | undefined;
}

export interface EventReaderOptions<Shown> {
  readonly database: Queryable;
  readonly clock: Clock;
  /** Turns events into what readers get, in their order. */
  readonly show: (events: readonly StoredEvent[]) => Promise<readonly Shown[]>;
  /** How long events are kept. */
  readonly retentionMs: number;
  readonly workspaceId: string;
  readonly mode: Mode;
  /** Whether an event is to be shown. */
  readonly matches: (event: StoredEvent) => boolean;
}

/** The word that stands for the place before all events that are kept. */
export const fromStart = "start";

const readPage = statement<StoredEvent>("read_events_of_workspace_after")(
  { workspaceId: text, mode: text, position: bigint, limit: integer },
  (p) => `
    SELECT ${storedEventColumns} FROM event
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND position > ${p.position}
    ORDER BY position LIMIT ${p.limit}`,
);

const readExistence = statement<{ id: string }>("read_existence_of_event")(
  { id: text },
  (p) => `SELECT id FROM event WHERE id = ${p.id}`,
);

/** One step of a reader. */
export type Step<Shown> =
  | { readonly kind: "event"; readonly shown: Shown }
  /** It has moved on without an event to show. */
  | { readonly kind: "moved" }
  /** There is nothing more for now. */
  | { readonly kind: "end" };

const moved = { kind: "moved" } as const;
const end = { kind: "end" } as const;

interface Page<Shown> {
  /** What is left of it. `shown` is undefined for an event that does not match. */
  readonly entries: { readonly event: StoredEvent; readonly shown: Shown | undefined }[];
  /** Everything up to here was read. */
  readonly upTo: number;
  readonly readAtMs: number;
}

/**
 * Reads the events of one workspace and mode in order, each once: from the hub, and from the table what is no longer there. It holds a
 * page at most, and drops what it holds when that is older than the hub's window.
 */
export class EventReader<Shown> {
  readonly #options: EventReaderOptions<Shown>;
  readonly #follower: Follower<StoredEvent, Shown>;
  #place: Place;
  #page: Page<Shown> | undefined;

  constructor(options: EventReaderOptions<Shown>, follower: Follower<StoredEvent, Shown>, place: Place) {
    this.#options = options;
    this.#follower = follower;
    this.#place = place;
  }

  /** Where to go on from after the last step. */
  get resumeAfter(): string {
    return this.#place.event?.id ?? fromStart;
  }

  async step(): Promise<Step<Shown>> {
    const ofPage = this.#takeFromPage();
    if (ofPage !== undefined) {
      return ofPage;
    }
    const found = this.#follower.next(this.#place.position);
    if (found === undefined) {
      return end;
    }
    if (found === "missed") {
      await withoutDeadline(() => withDeadline(() => this.#readPage()));
      return moved;
    }
    const { event, shown } = found;
    this.#place = { position: event.position, event };
    return this.#options.matches(event) ? { kind: "event", shown } : moved;
  }

  /**
   * To be called when there was nothing for a while. The last event of a quiet workspace is deleted at some time: whoever resumes then
   * begins with the first that is kept, since all of those are newer.
   */
  async refresh(): Promise<void> {
    const { database, clock, retentionMs } = this.#options;
    const { event, position } = this.#place;
    if (event === undefined || clock.now().getTime() - event.createdAt.getTime() < retentionMs) {
      return;
    }
    const [kept] = await withoutDeadline(() => withDeadline(() => database.run(readExistence, { id: event.id })));
    if (kept === undefined) {
      this.#place = { position, event: undefined };
    }
  }

  #takeFromPage(): Step<Shown> | undefined {
    const page = this.#page;
    if (page === undefined || this.#options.clock.monotonicMs() - page.readAtMs > streaming.windowMs) {
      this.#page = undefined;
      return undefined;
    }
    const entry = page.entries.shift();
    if (entry === undefined) {
      this.#page = undefined;
      this.#place = { ...this.#place, position: Math.max(this.#place.position, page.upTo) };
      return moved;
    }
    const { event, shown } = entry;
    this.#place = { position: event.position, event };
    return shown === undefined ? moved : { kind: "event", shown };
  }

  async #readPage(): Promise<void> {
    const { database, clock, workspaceId, mode, matches, show } = this.#options;
    const { position, event: last } = this.#place;
    const readAtMs = clock.monotonicMs();
    const { tail } = this.#follower;
    const events = await database.run(readPage, { workspaceId, mode, position, limit: streaming.pageSize });
    if (last?.position === position) {
      await this.#requireKept(last.id);
    }
    const matching = events.filter(matches);
    const shown = matching.length === 0 ? [] : await show(matching);
    const shownByEvent = new Map(matching.map((event, index) => [event, shown[index]]));
    this.#page = {
      entries: events.map((event) => ({ event, shown: shownByEvent.get(event) })),
      upTo: events.length < streaming.pageSize ? tail : 0,
      readAtMs,
    };
  }

  /** The oldest are deleted first: as long as an event is there, all that followed it are. */
  async #requireKept(id: string): Promise<void> {
    const [kept] = await this.#options.database.run(readExistence, { id });
    if (kept === undefined) {
      throw noSuchEvent();
    }
  }
}

/** The error for a stream that cannot go on without a gap. */
export function noSuchEvent(): AppError {
  return new AppError(
    "not_found",
    `There is no event with the id in after: it is of another workspace or mode, or was deleted after its retention. To read all that is kept, pass after=${fromStart}.`,
  );
}
