import type { Mode } from "../../../access/caller.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { Queryable } from "../../../database/database.ts";
import {
  array,
  integer,
  optional,
  type Placeholders,
  statementOfParts,
  text,
  timestamptz,
} from "../../../database/statement.ts";
import { formatPageToken, type PageEnd, parsePageToken } from "../../../rpc/page-token.ts";
import { lookupNumber } from "../lookup-number.ts";
import { pageSize } from "./history.policy.ts";
import { type LookupRow, type LookupView, lookupView } from "./lookup-view.ts";
import { type NumberIndex, numberOf } from "./stored-lookup.ts";

export interface ListLookupsInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** In E.164 form, or as it was sent. */
  readonly number: string | undefined;
  readonly createdAfter: Date | undefined;
  readonly createdBefore: Date | undefined;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

export interface ListedLookups {
  readonly lookups: readonly LookupView[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

const allFilters = ["number", "after", "before", "page"] as const;
type Filter = (typeof allFilters)[number];

const parameters = {
  workspaceId: text,
  mode: text,
  numberIndexes: optional(array(text)),
  createdAfter: optional(timestamptz),
  createdBefore: optional(timestamptz),
  lastCreatedAt: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

type P = Placeholders<typeof parameters>;

const conditionOf: Record<Exclude<Filter, "number">, (p: P) => string> = {
  after: (p) => `created_at >= ${p.createdAfter}`,
  before: (p) => `created_at < ${p.createdBefore}`,
  page: (p) => `created_at <= ${p.lastCreatedAt} AND (created_at, id) < (${p.lastCreatedAt}, ${p.lastId})`,
};

const conditionsOf = (p: P, filters: readonly Filter[]) =>
  filters.map((filter) => (filter === "number" ? "" : `AND ${conditionOf[filter](p)}`)).join(" ");

/** Rows that nobody asks for are not read, whatever the planner expects of a limit that is a parameter. */
const largestPage = `ORDER BY created_at DESC, id DESC LIMIT ${pageSize.max + 1}`;

/** SQL of the rows that a page is chosen from: the index of the number, or that of the list, has them in order. */
const sourceOf = (p: P, filters: readonly Filter[]) =>
  filters.includes("number")
    ? `(
        SELECT found.* FROM unnest(${p.numberIndexes}) AS asked (number_index), LATERAL (
          SELECT * FROM lookup
          WHERE number_index = asked.number_index AND workspace_id || '' = ${p.workspaceId} AND mode || '' = ${p.mode}
            ${conditionsOf(p, filters)}
          ${largestPage}
        ) AS found
      )`
    : `(
        SELECT * FROM lookup
        WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND created_at > '-infinity' ${conditionsOf(p, filters)}
        ${largestPage}
      )`;

const list = statementOfParts<LookupRow, Filter>("list_lookups")(
  parameters,
  (p, filters) => `
    SELECT id, sealed, created_at FROM ${sourceOf(p, filters)} AS lookup
    ORDER BY created_at DESC, id DESC LIMIT ${p.limit}`,
);

export interface ListLookupsDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly numberIndex: NumberIndex;
}

/** A page of the history, newest first. Throws `validation_error` for a page token that is not from an earlier page. */
export async function listLookups(
  { database, keyring, numberIndex }: ListLookupsDependencies,
  { workspaceId, mode, number, createdAfter, createdBefore, ...page }: ListLookupsInput,
): Promise<ListedLookups> {
  const last = page.pageToken === undefined ? undefined : parsePageToken(page.pageToken, "lkp_");
  const asked = { number, after: createdAfter, before: createdBefore, page: last };
  const rows = await database.run(list(allFilters.filter((filter) => asked[filter] !== undefined)), {
    workspaceId,
    mode,
    numberIndexes: number === undefined ? undefined : indexesOf(keyring, numberIndex, number),
    createdAfter,
    createdBefore,
    lastCreatedAt: last?.createdAt,
    lastId: last?.id,
    limit: page.pageSize + 1,
  });
  const lookups = rows.slice(0, page.pageSize).map((row) => lookupView(keyring, workspaceId, row));
  const lastOfPage = lookups.at(-1);
  const hasMore = rows.length > page.pageSize && lastOfPage !== undefined;
  return { lookups, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}

/** The lookups of a number that come after `after`, newest first: `limit` at most, which is no more than the largest page and one. */
export async function readLookupsOf(
  database: Queryable,
  asked: {
    readonly workspaceId: string;
    readonly mode: Mode;
    readonly indexes: readonly string[];
    readonly after: PageEnd | undefined;
    readonly limit: number;
  },
): Promise<readonly LookupRow[]> {
  const { workspaceId, mode, indexes, after, limit } = asked;
  return database.run(list(after === undefined ? ["number"] : ["number", "page"]), {
    workspaceId,
    mode,
    numberIndexes: indexes,
    createdAfter: undefined,
    createdBefore: undefined,
    lastCreatedAt: after?.createdAt,
    lastId: after?.id,
    limit,
  });
}

function indexesOf(keyring: Keyring, numberIndex: NumberIndex, number: string): string[] {
  const exact = numberOf(lookupNumber({ number, country: undefined }));
  return keyring.all.map((secret) => numberIndex(secret, exact));
}
