import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { integer, optional, type Placeholders, statementOfParts, text, timestamptz } from "../../database/statement.ts";
import { type StoredEvent, storedEventColumns } from "../../events/event-log.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";

export interface ListEventsInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** As it is stored: `verification.started`. */
  readonly type: string | undefined;
  /** The id of an object. */
  readonly subjectId: string | undefined;
  readonly createdAfter: Date | undefined;
  readonly createdBefore: Date | undefined;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

export interface ListedEvents {
  readonly events: readonly StoredEvent[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

const allFilters = ["type", "subject", "after", "before", "page"] as const;
type Filter = (typeof allFilters)[number];

const parameters = {
  workspaceId: text,
  mode: text,
  type: optional(text),
  subjectId: optional(text),
  createdAfter: optional(timestamptz),
  createdBefore: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

type P = Placeholders<typeof parameters>;

/**
 * Positions and times have the same order, so that a time is found as the position of the first or last event on its side. If the last
 * event of the page before is deleted by now, so are those before it.
 */
const conditionOf: Record<Exclude<Filter, "subject">, (p: P) => string> = {
  type: (p) => `type = ${p.type}`,
  after: (p) => `
    created_at >= ${p.createdAfter} AND position >= (
      SELECT position FROM event WHERE created_at >= ${p.createdAfter} ORDER BY created_at, position LIMIT 1
    )`,
  before: (p) => `
    created_at < ${p.createdBefore} AND position <= (
      SELECT position FROM event WHERE created_at < ${p.createdBefore} ORDER BY created_at DESC, position DESC LIMIT 1
    )`,
  // Of the same workspace and mode: an event of another one is no place in this list.
  page: (p) => `
    position < (
      SELECT position FROM (SELECT * FROM event WHERE id = ${p.lastId} OFFSET 0) AS last_of_page
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}
    )`,
};

/** Each combination of filters is a prepared statement. `OFFSET 0`: an object has few events, and the workspace may have many. */
const list = statementOfParts<StoredEvent, Filter>("list_events")(parameters, (p, filters) => {
  const source = filters.includes("subject")
    ? `(SELECT * FROM event WHERE subject_id = ${p.subjectId} OFFSET 0) AS event`
    : "event";
  const conditions = filters.flatMap((filter) => (filter === "subject" ? [] : [`AND ${conditionOf[filter](p)}`]));
  return `
    SELECT ${storedEventColumns} FROM ${source}
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} ${conditions.join(" ")}
    ORDER BY position DESC LIMIT ${p.limit}`;
});

/**
 * A page of events, newest first: in the reverse of the order in which a stream has them. Throws `validation_error` for a page token
 * that is not from an earlier page.
 */
export async function listEvents(
  { database }: { readonly database: Queryable },
  input: ListEventsInput,
): Promise<ListedEvents> {
  const { workspaceId, mode, type, subjectId, createdAfter, createdBefore, pageSize } = input;
  const last = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "evt_");
  const asked = { type, subject: subjectId, after: createdAfter, before: createdBefore, page: last };
  const rows = await database.run(list(allFilters.filter((filter) => asked[filter] !== undefined)), {
    workspaceId,
    mode,
    type,
    subjectId,
    createdAfter,
    createdBefore,
    lastId: last?.id,
    limit: pageSize + 1,
  });
  const events = rows.slice(0, pageSize);
  const lastOfPage = events.at(-1);
  const hasMore = rows.length > pageSize && lastOfPage !== undefined;
  return { events, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}
