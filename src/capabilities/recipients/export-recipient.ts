import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Event } from "../../../gen/byond/v1/event_pb.ts";
import type { RecipientRecordSchema } from "../../../gen/byond/v1/recipient_pb.ts";
import type { Mode } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";
import { type StoredEvent, storedEventColumns } from "../../events/event-log.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import type { EventMessages } from "../events/event-messages.ts";
import type { ExportDependencies, ExportedRecord, RecipientExport } from "./recipient-data.ts";

/** `OFFSET 0`: a record has few events, and the workspace may have many. */
const readEvents = statement<StoredEvent>("read_events_of_recipient")(
  { workspaceId: text, mode: text, subjectIds: array(text) },
  (p) => `
    SELECT ${storedEventColumns}
    FROM unnest(${p.subjectIds}) AS asked (record_id),
      LATERAL (SELECT * FROM event WHERE subject_id = asked.record_id OFFSET 0) AS event
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}
    ORDER BY position DESC`,
);

export interface ExportRecipientDependencies extends ExportDependencies {
  /** In the order of the export. */
  readonly exports: readonly RecipientExport[];
  /** Every index that rows may have for a recipient. Throws `validation_error` for a malformed one. */
  readonly indexesOf: (keyring: Keyring, recipient: string) => readonly string[];
  readonly eventMessages: EventMessages;
}

export interface ExportRecipientInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly recipient: string;
  readonly pageSize: number;
  readonly pageToken: string | undefined;
}

export interface ExportedRecords {
  readonly records: readonly MessageInitShape<typeof RecipientRecordSchema>[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/**
 * A page of everything that is held about a recipient. Throws `validation_error` for a malformed recipient, and for a page token that is not
 * from an earlier page.
 */
export async function exportRecipient(
  deps: ExportRecipientDependencies,
  { workspaceId, mode, recipient, pageSize, pageToken }: ExportRecipientInput,
): Promise<ExportedRecords> {
  const indexes = deps.indexesOf(deps.keyring, recipient);
  let after = pageToken === undefined ? undefined : parsePageToken(pageToken, "");
  const lastId = after?.id;
  const first = lastId === undefined ? 0 : deps.exports.findIndex(({ idPrefix }) => lastId.startsWith(idPrefix));
  if (first < 0) {
    throw invalidFields({ page_token: "must be the next_page_token of the page before" });
  }
  const found: ExportedRecord[] = [];
  for (const each of deps.exports.slice(first)) {
    const limit = pageSize + 1 - found.length;
    found.push(...(await each.read(deps, { workspaceId, mode, indexes, after, limit })));
    after = undefined;
    if (found.length > pageSize) {
      break;
    }
  }
  const page = found.slice(0, pageSize);
  const lastOfPage = page.at(-1);
  const hasMore = found.length > pageSize && lastOfPage !== undefined;
  const events = await eventsOf(deps, { workspaceId, mode, ids: page.map(({ id }) => id) });
  return {
    records: page.map(({ id, record }) => ({ ...record, events: events.get(id) ?? [] })),
    nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined,
  };
}

async function eventsOf(
  deps: { readonly database: Queryable; readonly eventMessages: EventMessages },
  { workspaceId, mode, ids }: { readonly workspaceId: string; readonly mode: Mode; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, Event[]>> {
  const events = await deps.database.run(readEvents, { workspaceId, mode, subjectIds: ids });
  const messages = await deps.eventMessages(events);
  const ofRecord = new Map<string, Event[]>();
  for (const [index, { subjectId }] of events.entries()) {
    const message = messages[index];
    if (message !== undefined) {
      ofRecord.set(subjectId, [...(ofRecord.get(subjectId) ?? []), message]);
    }
  }
  return ofRecord;
}
