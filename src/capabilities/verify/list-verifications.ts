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
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { indexesOfAny } from "./recipient.ts";
import {
  type VerificationStatus,
  type VerificationView,
  type ViewRow,
  viewOf,
  viewParameters,
  viewText,
} from "./verification-view.ts";

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

const parameters = {
  ...viewParameters,
  mode: text,
  status: optional(text),
  channel: optional(text),
  recipientIndexes: optional(array(text)),
  createdAfter: optional(timestamptz),
  createdBefore: optional(timestamptz),
  lastCreatedAt: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

type P = Placeholders<typeof parameters>;

const conditionOf: Record<Exclude<Filter, "recipient">, (p: P) => string> = {
  status: (p) => `current_status = ${p.status}`,
  channel: (p) => `channel = ${p.channel}`,
  after: (p) => `created_at >= ${p.createdAfter}`,
  before: (p) => `created_at < ${p.createdBefore}`,
  page: (p) => `created_at <= ${p.lastCreatedAt} AND (created_at, id) < (${p.lastCreatedAt}, ${p.lastId})`,
};

/**
 * SQL of a recipient's verifications, found by the indexes on the two recipients. `OFFSET 0` stops the planner from reading all
 * verifications of the workspace in order of time instead, in the hope of filling the page early.
 */
function ofRecipient(p: P): string {
  const found = (column: string) =>
    `
    SELECT * FROM verification
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND ${column} = ANY (${p.recipientIndexes})`;
  return `(${found("recipient_index")} UNION ALL ${found("second_recipient_index")} OFFSET 0)`;
}

/** Each combination of filters is a prepared statement with a plan of its own. */
const list = statementOfParts<ViewRow, Filter>("list_verifications")(parameters, (p, filters) =>
  viewText(p, {
    ...(filters.includes("recipient") ? { source: ofRecipient(p) } : {}),
    conditions: [
      `mode = ${p.mode}`,
      // True of all rows. The partial index `verification_list` is used only if its predicate is here.
      "created_at > '-infinity'",
      ...filters.flatMap((filter) => (filter === "recipient" ? [] : [conditionOf[filter](p)])),
    ].join(" AND "),
    tail: `ORDER BY created_at DESC, id DESC LIMIT ${p.limit}`,
  }),
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
    channel,
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
