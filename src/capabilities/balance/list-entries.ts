import type { Queryable } from "../../database/database.ts";
import { integer, optional, statementOfParts, text, timestamptz } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";

/** A change of a balance, as its workspace sees it. Reserves do not change it. */
export interface BalanceEntry {
  readonly kind: "top_up" | "correction" | "charge" | "refund";
  /** Negative: the balance became less. */
  readonly amount: bigint;
  readonly reference: string;
  readonly item: string | null;
  readonly subjectId: string | null;
  /** Empty: no key has caused it. */
  readonly keyId: string;
  readonly createdAt: Date;
}

const list = statementOfParts<Omit<BalanceEntry, "amount"> & { amount: string }, "page">("list_balance_entries")(
  {
    workspaceId: text,
    limit: integer,
    lastCreatedAt: optional(timestamptz),
    lastReference: optional(text),
    lastKind: optional(text),
  },
  (p, parts) => `
    SELECT kind, CASE WHEN credit = 'wallet' THEN amount ELSE -amount END AS amount, reference, item, subject_id, key_id, created_at
    FROM ledger_entry
    WHERE workspace_id = ${p.workspaceId} AND created_at > '-infinity' AND kind <> 'reserve' AND kind <> 'release'
      ${
        parts.includes("page")
          ? `AND created_at <= ${p.lastCreatedAt}
            AND (created_at, reference, kind) < (${p.lastCreatedAt}, ${p.lastReference}, ${p.lastKind})`
          : ""
      }
    ORDER BY created_at DESC, reference DESC, kind DESC LIMIT ${p.limit}`,
);

export interface ListEntriesInput {
  readonly workspaceId: string;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

/** A page of the entries, newest first. Throws `validation_error` for a page token that is not from an earlier page. */
export async function listEntries(
  { database }: { readonly database: Queryable },
  { workspaceId, pageSize, pageToken }: ListEntriesInput,
): Promise<{ readonly entries: readonly BalanceEntry[]; readonly nextPageToken: string | undefined }> {
  const last = pageToken === undefined ? undefined : parseToken(pageToken);
  const rows = await database.run(list(last === undefined ? [] : ["page"]), {
    workspaceId,
    limit: pageSize + 1,
    lastCreatedAt: last?.createdAt,
    lastReference: last?.reference,
    lastKind: last?.kind,
  });
  const entries = rows.slice(0, pageSize).map((row) => ({ ...row, amount: BigInt(row.amount) }));
  const lastOfPage = entries.at(-1);
  return {
    entries,
    nextPageToken: rows.length > pageSize && lastOfPage !== undefined ? formatToken(lastOfPage) : undefined,
  };
}

function formatToken({ createdAt, kind, reference }: Pick<BalanceEntry, "createdAt" | "kind" | "reference">): string {
  return Buffer.from(`${createdAt.getTime()} ${kind} ${reference}`).toString("base64url");
}

function parseToken(token: string) {
  const [, time, kind, reference] =
    /^(\d{1,15}) ([a-z_]{1,10}) ([\x20-\x7e]{1,64})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  const createdAt = new Date(Number(time));
  if (kind === undefined || reference === undefined || Number.isNaN(createdAt.getTime())) {
    throw invalidFields({ page_token: "must be the next_page_token of the page before" });
  }
  return { createdAt, kind, reference };
}
