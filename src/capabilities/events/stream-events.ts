import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { isId } from "../../crypto/ids.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import type { StreamPlaces } from "../../rpc/stream-places.ts";
import type { EventHub, Follower } from "./event-hub.ts";
import { EventReader, fromStart, noSuchEvent, type Place } from "./event-reader.ts";
import { streaming } from "./events.policy.ts";

export interface StreamEventsInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** As they are stored, such as `verification.started`. Empty: all. */
  readonly types: readonly string[];
  /** The id of an object. */
  readonly subjectId: string | undefined;
  /** The id of an event, or `start`. Undefined: from now on. */
  readonly after: string | undefined;
}

/** What a stream sends. */
export interface Streamed<Shown> {
  /** Undefined: a heartbeat. */
  readonly event?: Shown;
  /** What to pass as `after` to go on from here. */
  readonly resumeAfter: string;
}

export interface StreamEventsDependencies<Shown> {
  readonly database: Queryable;
  readonly clock: Clock;
  readonly hub: EventHub<StoredEvent, Shown>;
  /** Turns events into what readers get, in their order. */
  readonly show: (events: readonly StoredEvent[]) => Promise<readonly Shown[]>;
  readonly places: StreamPlaces;
  readonly retentionMs: number;
}

const readNewest = statement<NonNullable<Place["event"]>>("read_newest_event")(
  { workspaceId: text, mode: text },
  (p) => `
    SELECT position::float8, id, created_at FROM event WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}
    ORDER BY position DESC LIMIT 1`,
);

/** Found by the id alone, as `read_event` does. */
const readPlace = statement<NonNullable<Place["event"]>>("read_place_of_event")(
  { workspaceId: text, mode: text, id: text },
  (p) => `
    SELECT position::float8, id, created_at FROM (SELECT * FROM event WHERE id = ${p.id} OFFSET 0) AS event
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}`,
);

/**
 * The events of a workspace and mode after one of them, in their order (oldest first), each once, and then those to come. The first
 * message is a heartbeat, and so is one whenever nothing else was sent for a while; they say where to resume.
 *
 * An event is taken from the hub as long as it is there, and from the table otherwise: nobody waits for a reader that is slow, and
 * nothing is kept for it. `onOpen` is called when the request is accepted.
 *
 * Throws `not_found` if `after` is no event of the workspace and mode, or one that was deleted: some that followed may be deleted, too,
 * and a stream has no gaps. Throws `rate_limited` if the workspace has too many streams, and `unavailable` when the server stops.
 */
export async function* streamEvents<Shown>(
  deps: StreamEventsDependencies<Shown>,
  input: StreamEventsInput,
  { signal, onOpen }: { readonly signal: AbortSignal; readonly onOpen: () => void },
): AsyncGenerator<Streamed<Shown>> {
  const { hub, clock, places } = deps;
  const { workspaceId, mode, types, subjectId } = input;
  using _place = places.enter(workspaceId);
  using follower = await hub.follow(workspaceId, mode, signal);
  const reader = new EventReader(
    {
      ...deps,
      workspaceId,
      mode,
      matches: (event) =>
        (types.length === 0 || types.includes(event.type)) &&
        (subjectId === undefined || event.subjectId === subjectId),
    },
    follower,
    await placeToBegin(deps, input, follower),
  );
  onOpen();
  let sentAtMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    if (hub.isClosed) {
      throw new AppError("unavailable", "The server is being stopped. Open the stream again: it resumes.", {
        retryAfterSeconds: 1,
      });
    }
    const silentMs = clock.monotonicMs() - sentAtMs;
    if (silentMs >= streaming.heartbeatMs) {
      await reader.refresh();
      yield { resumeAfter: reader.resumeAfter };
      sentAtMs = clock.monotonicMs();
      continue;
    }
    const step = await reader.step();
    if (step.kind === "event") {
      yield { event: step.shown, resumeAfter: reader.resumeAfter };
      sentAtMs = clock.monotonicMs();
    } else if (step.kind === "end") {
      await follower.changed(streaming.heartbeatMs - silentMs);
    }
  }
}

/** Where a reader begins. Its follower is there before: what comes after is in the hub. */
async function placeToBegin<Shown>(
  { database }: StreamEventsDependencies<Shown>,
  { workspaceId, mode, after }: StreamEventsInput,
  { tail }: Follower<StoredEvent, Shown>,
): Promise<Place> {
  if (after === fromStart) {
    return { position: 0, event: undefined };
  }
  if (after === undefined) {
    const [newest] = await database.run(readNewest, { workspaceId, mode });
    return { position: Math.max(tail, newest?.position ?? 0), event: newest };
  }
  // A secret that is pasted in place of an id must not get into the database's log.
  const [event] = isId("evt", after) ? await database.run(readPlace, { workspaceId, mode, id: after }) : [];
  if (event === undefined) {
    throw noSuchEvent();
  }
  return { position: event.position, event };
}
