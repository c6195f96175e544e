import type { Mode } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { indexesOfAny } from "./recipient.ts";
import { readViews, type VerificationStatus, type VerificationView, viewStatement } from "./verification-view.ts";

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

/**
 * A page of verifications, newest first. Throws `validation_error` for a recipient that is none, and for a page token that
 * was not made here.
 */
export async function listVerifications(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  input: ListInput,
): Promise<ListedVerifications> {
  const filters = new Filters(input.mode);
  filters.add("status", input.status, (value) => `current_status = ${value}::text`);
  filters.add("channel", input.channel, (value) => `channel = ${value}::text`);
  if (input.recipient !== undefined) {
    filters.addRecipient(indexesOfAny(deps.keyring, input.recipient));
  }
  filters.add("after", input.createdAfter, (value) => `created_at >= ${value}::timestamptz`);
  filters.add("before", input.createdBefore, (value) => `created_at < ${value}::timestamptz`);
  const last = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "vrf_");
  filters.add("page", last?.createdAt, (time) => `created_at <= ${time}::timestamptz`);
  filters.add("id", last && [last.createdAt.toISOString(), last.id], (value) => {
    return `(created_at, id) < ((${value}::text[])[1]::timestamptz, (${value}::text[])[2])`;
  });
  const { statement, values } = filters.statement(input.pageSize + 1);
  const found = await readViews(deps, statement, input.workspaceId, values);
  const verifications = found.slice(0, input.pageSize);
  const lastOfPage = verifications.at(-1);
  const hasMore = found.length > input.pageSize && lastOfPage !== undefined;
  return { verifications, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}

type Values = Parameters<Queryable["query"]>[1];
type Value = Values[number];

/** The conditions that are asked for, so that each combination is a prepared statement with a plan of its own. */
class Filters {
  readonly #names: string[] = [];
  /** All times: the predicate of the index `verification_list`. */
  readonly #conditions = ["mode = $3", "created_at > '-infinity'"];
  readonly #values: Value[];
  #source = "verification";

  constructor(mode: Mode) {
    this.#values = [mode];
  }

  add(name: string, value: Value | undefined, condition: (placeholder: string) => string): void {
    if (value !== undefined) {
      this.#names.push(name);
      this.#values.push(value);
      this.#conditions.push(condition(`$${this.#values.length + 2}`));
    }
  }

  /**
   * Found by the indexes on the recipients before anything else (`OFFSET 0` keeps the planner from walking all of the
   * workspace's verifications by time, in the hope of finding enough early).
   */
  addRecipient(indexes: readonly string[]): void {
    this.#names.push("recipient");
    this.#values.push(indexes);
    const value = `$${this.#values.length + 2}::text[]`;
    const found = (column: string) =>
      `SELECT * FROM verification WHERE workspace_id = $1 AND mode = $3 AND ${column} = ANY (${value})`;
    this.#source = `(${found("recipient_index")} UNION ALL ${found("second_recipient_index")} OFFSET 0)`;
  }

  statement(limit: number) {
    const values = [...this.#values, limit];
    const tail = `ORDER BY created_at DESC, id DESC LIMIT $${values.length + 2}`;
    const name = ["list_verifications", ...this.#names].join("_");
    const parts = { source: this.#source, conditions: this.#conditions.join(" AND "), tail };
    return { statement: viewStatement(name, parts), values };
  }
}
