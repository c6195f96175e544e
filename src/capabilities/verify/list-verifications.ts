import type { Mode } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import {
  array,
  integer,
  optional,
  type Placeholders,
  statementOfParts,
  text,
  timestamptz,
} from "../../database/statement.ts";
import { formatPageToken, type PageEnd, parsePageToken } from "../../rpc/page-token.ts";
import { type ChannelName, channelNames } from "../channels/outgoing-message.ts";
import { isOfRecipient } from "./is-of-recipient.ts";
import { indexesOfAny } from "./recipient.ts";
import {
  currentStatus,
  statuses,
  type VerificationStatus,
  type VerificationView,
  type ViewRow,
  viewOf,
  viewParameters,
  viewText,
} from "./verification-view.ts";
import { pageSize } from "./verify.policy.ts";

export interface ListInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly status: VerificationStatus | undefined;
  readonly channel: ChannelName | undefined;
  /** E.164 or a mail address. */
  readonly recipient: string | undefined;
  readonly createdAfter: Date | undefined;
  readonly createdBefore: Date | undefined;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

export interface ListedVerifications {
  readonly verifications: readonly VerificationView[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

const allFilters = ["status", "channel", "recipient", "after", "before", "page"] as const;
type Filter = (typeof allFilters)[number];

/** The statuses that rows of a status may have: a verification that has expired is stored as pending until the sweep comes. */
const storedAs = (status: VerificationStatus) => (status === "expired" ? ["expired", "pending"] : [status]);

const parameters = {
  ...viewParameters,
  mode: text,
  status: optional(text),
  storedStatuses: optional(array(text)),
  channels: optional(array(text)),
  recipientIndexes: optional(array(text)),
  createdAfter: optional(timestamptz),
  createdBefore: optional(timestamptz),
  lastCreatedAt: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

type P = Placeholders<typeof parameters>;

/**
 * SQL of the moment that a list is of. Its status is asked twice: a verification that expired in between would be missing from a full page,
 * which would then be taken for the last one.
 */
const moment = "(SELECT now FROM moment)";

const conditionOf: Record<Exclude<Filter, "recipient">, (p: P) => string> = {
  status: (p) => `${currentStatus(p, moment)} = ${p.status}`,
  channel: (p) => `channel = ANY (${p.channels})`,
  after: (p) => `created_at >= ${p.createdAfter}`,
  before: (p) => `created_at < ${p.createdBefore}`,
  page: (p) => `created_at <= ${p.lastCreatedAt} AND (created_at, id) < (${p.lastCreatedAt}, ${p.lastId})`,
};

/** SQL of the conditions of filters, each with AND before it. */
const conditionsOf = (p: P, filters: readonly Filter[]) =>
  filters.map((filter) => (filter === "recipient" ? "" : `AND ${conditionOf[filter](p)}`)).join(" ");

const newestFirst = "ORDER BY created_at DESC, id DESC";

/**
 * The planner expects a tenth of all rows of a limit that is a parameter, and may sort them all. Rows that nobody asks for are
 * not read.
 */
const largestPage = `${newestFirst} LIMIT ${pageSize.max + 1}`;

/** SQL of the newest verifications of each status and channel, a page of each: the index `verification_by_state` has them in order. */
function ofStates(p: P, filters: readonly Filter[]): string {
  return `(
    SELECT found.* FROM unnest(${p.storedStatuses}) AS stored (status), unnest(${p.channels}) AS asked (channel),
      LATERAL (
        SELECT * FROM (
          SELECT * FROM verification
          WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND status = stored.status AND channel = asked.channel
            AND expires_at > '-infinity' ${conditionsOf(
              p,
              filters.filter((filter) => filter !== "channel"),
            )}
          ${largestPage}
        ) AS newest
        LIMIT ${p.limit}
      ) AS found
  )`;
}

/** SQL of the rows that a list chooses its page from. */
function sourceOf(p: P, filters: readonly Filter[]): string {
  if (filters.includes("recipient")) {
    const asked = { workspaceId: p.workspaceId, mode: p.mode, indexes: p.recipientIndexes };
    return `(
      SELECT * FROM verification WHERE ${isOfRecipient("recipient_index", asked)}
      UNION ALL SELECT * FROM verification WHERE ${isOfRecipient("second_recipient_index", asked)}
      OFFSET 0
    )`;
  }
  if (filters.includes("status") || filters.includes("channel")) {
    return ofStates(p, filters);
  }
  // True of all rows. The partial index `verification_list` is used only if its predicate is here.
  return `(
    SELECT * FROM verification
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND created_at > '-infinity' ${conditionsOf(p, filters)}
    ${largestPage}
  )`;
}

/** Each combination of filters is a prepared statement with a plan of its own. */
const list = statementOfParts<ViewRow, Filter>("list_verifications")(
  parameters,
  (p, filters) => `
    WITH moment AS MATERIALIZED (SELECT byond_now() AS now)
    ${viewText(p, {
      source: sourceOf(p, filters),
      now: moment,
      conditions: `mode = ${p.mode} ${conditionsOf(p, filters)}`,
      tail: `${newestFirst} LIMIT ${p.limit}`,
    })}`,
);

/**
 * Returns a page of verifications, newest first. Throws `validation_error` for a malformed recipient, and for a page token that
 * is not from an earlier page.
 */
export async function listVerifications(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  input: ListInput,
): Promise<ListedVerifications> {
  const { workspaceId, mode, status, channel, createdAfter, createdBefore } = input;
  const last = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "vrf_");
  const asked = { status, channel, recipient: input.recipient, after: createdAfter, before: createdBefore, page: last };
  const filters = allFilters.filter((filter) => asked[filter] !== undefined);
  const rows = await deps.database.run(list(filters), {
    workspaceId,
    knownSecrets: deps.keyring.all.map((secret) => secret.id),
    mode,
    status,
    storedStatuses: status === undefined ? statuses : storedAs(status),
    channels: channel === undefined ? channelNames : [channel],
    recipientIndexes: input.recipient === undefined ? undefined : indexesOfAny(deps.keyring, input.recipient),
    createdAfter,
    createdBefore,
    lastCreatedAt: last?.createdAt,
    lastId: last?.id,
    limit: input.pageSize + 1,
  });
  const found = rows.map((row) => viewOf(deps.keyring, workspaceId, row));
  const verifications = found.slice(0, input.pageSize);
  const lastOfPage = verifications.at(-1);
  const hasMore = found.length > input.pageSize && lastOfPage !== undefined;
  return { verifications, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}

/** The verifications of a recipient that come after `after`, newest first: `limit` at most, which is no more than the largest page and one. */
export async function readVerificationsOf(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  asked: {
    readonly workspaceId: string;
    readonly mode: Mode;
    readonly indexes: readonly string[];
    readonly after: PageEnd | undefined;
    readonly limit: number;
  },
): Promise<readonly ViewRow[]> {
  const { workspaceId, mode, indexes, after, limit } = asked;
  return database.run(list(after === undefined ? ["recipient"] : ["recipient", "page"]), {
    workspaceId,
    knownSecrets: keyring.all.map((secret) => secret.id),
    mode,
    status: undefined,
    storedStatuses: undefined,
    channels: undefined,
    recipientIndexes: indexes,
    createdAfter: undefined,
    createdBefore: undefined,
    lastCreatedAt: after?.createdAt,
    lastId: after?.id,
    limit,
  });
}
