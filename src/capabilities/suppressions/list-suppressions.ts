import type { Mode } from "../../access/caller.ts";
import { type Keyring, unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import {
  array,
  double,
  integer,
  optional,
  type Placeholders,
  statementOfParts,
  text,
  timestamptz,
} from "../../database/statement.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import { type ChannelName, channelNames, maskRecipient } from "../channels/outgoing-message.ts";
import type { StoredRecipients } from "./stored-recipients.ts";
import { daysOnChannel, pageSize } from "./suppressions.policy.ts";

export interface ListSuppressionsInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** E.164 or a mail address. */
  readonly recipient: string | undefined;
  readonly channel: ChannelName | undefined;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

/** A suppression as its workspace sees it. */
export interface SuppressionView {
  readonly id: string;
  readonly channel: ChannelName;
  /** Masked. Null: it cannot be read, because the master secret that it was sealed with is gone. */
  readonly recipient: string | null;
  readonly reason: string;
  readonly verificationId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface ListedSuppressions {
  readonly suppressions: readonly SuppressionView[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

export interface SuppressionRow extends Omit<SuppressionView, "recipient"> {
  readonly recipientSealed: Buffer;
  readonly isSecond: boolean;
}

const allFilters = ["recipient", "page"] as const;
type Filter = (typeof allFilters)[number];

const parameters = {
  workspaceId: text,
  mode: text,
  days: double,
  indexes: optional(array(text)),
  channels: array(text),
  lastCreatedAt: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

type P = Placeholders<typeof parameters>;

const isInForce = (p: P) => `created_at > (SELECT byond_now()) - ${daysOnChannel(p.days)}`;

const afterPage = (p: P, filters: readonly Filter[]) =>
  filters.includes("page")
    ? `AND created_at <= ${p.lastCreatedAt} AND (created_at, id) < (${p.lastCreatedAt}, ${p.lastId})`
    : "";

/** SQL of the rows of the workspace's mode: those of the recipient, or a page of each channel, which the index of the list has in order. */
const sourceOf = (p: P, filters: readonly Filter[]) =>
  filters.includes("recipient")
    ? `(
        SELECT * FROM suppression
        WHERE recipient_index = ANY (${p.indexes}) AND workspace_id || '' = ${p.workspaceId} AND mode || '' = ${p.mode}
          AND channel = ANY (${p.channels})
        OFFSET 0
      )`
    : `(
        SELECT found.* FROM unnest(${p.channels}) AS asked (channel), LATERAL (
          SELECT * FROM suppression
          WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND channel = asked.channel AND created_at > '-infinity'
            AND ${isInForce(p)} ${afterPage(p, filters)}
          ORDER BY created_at DESC, id DESC LIMIT ${pageSize.max + 1}
        ) AS found
      )`;

const list = statementOfParts<SuppressionRow, Filter>("list_suppressions")(
  parameters,
  (p, filters) => `
    SELECT id, channel, recipient_sealed, is_second, reason, verification_id, created_at,
      created_at + ${daysOnChannel(p.days)} AS expires_at
    FROM ${sourceOf(p, filters)} AS suppression
    WHERE ${isInForce(p)} ${afterPage(p, filters)}
    ORDER BY created_at DESC, id DESC LIMIT ${p.limit}`,
);

export interface ListSuppressionsDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly recipients: StoredRecipients;
  readonly suppressionDays: number;
}

/**
 * A page of the suppressions in force, newest first. Throws `validation_error` for a malformed recipient, and for a page token that is not
 * from an earlier page.
 */
export async function listSuppressions(
  { database, keyring, recipients, suppressionDays }: ListSuppressionsDependencies,
  input: ListSuppressionsInput,
): Promise<ListedSuppressions> {
  const { workspaceId, mode, recipient, channel } = input;
  const last = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "sup_");
  const asked = { recipient, page: last };
  const rows = await database.run(list(allFilters.filter((filter) => asked[filter] !== undefined)), {
    workspaceId,
    mode,
    days: suppressionDays,
    indexes: recipient === undefined ? undefined : recipients.indexesOfAny(keyring, recipient),
    channels: channel === undefined ? channelNames : [channel],
    lastCreatedAt: last?.createdAt,
    lastId: last?.id,
    limit: input.pageSize + 1,
  });
  const suppressions = rows.slice(0, input.pageSize).map(({ recipientSealed, isSecond, ...row }) => {
    const context = recipients.contextOf(workspaceId, row.verificationId, isSecond);
    const address = unseal(keyring, "recipient-seal", context, recipientSealed);
    return { ...row, recipient: address === undefined ? null : maskRecipient(address) };
  });
  const lastOfPage = suppressions.at(-1);
  const hasMore = rows.length > input.pageSize && lastOfPage !== undefined;
  return { suppressions, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}
