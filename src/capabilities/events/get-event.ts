import type { Mode } from "../../access/caller.ts";
import { isId } from "../../crypto/ids.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { type StoredEvent, storedEventColumns } from "../../events/event-log.ts";

/** Names an event. It is found only in its own workspace and mode. */
export interface EventRef {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly id: string;
}

/** Found by the id alone: a condition on the workspace tempts the planner to read all of its events. */
const read = statement<StoredEvent>("read_event")(
  { workspaceId: text, mode: text, id: text },
  (p) => `
    SELECT ${storedEventColumns} FROM (SELECT * FROM event WHERE id = ${p.id} OFFSET 0) AS event
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}`,
);

/** Returns an event. Throws `not_found` if the workspace has no such event in this mode. */
export async function getEvent(
  { database }: { readonly database: Queryable },
  { workspaceId, mode, id }: EventRef,
): Promise<StoredEvent> {
  // A secret that is pasted in place of an id must not get into the database's log.
  const [event] = isId("evt", id) ? await database.run(read, { workspaceId, mode, id }) : [];
  if (event === undefined) {
    throw new AppError("not_found", "There is no event with this id.");
  }
  return event;
}
