import { type Keyring, unseal } from "../../../crypto/keyring.ts";
import type { Queryable } from "../../../database/database.ts";
import { array, statement, text } from "../../../database/statement.ts";
import type { StoredEvent } from "../../../events/event-log.ts";
import { maskRecipient } from "../../channels/outgoing-message.ts";
import type { EventObjects } from "../../events/event-messages.ts";
import { fixedCodeMessage } from "./fixed-code-proto.ts";
import { fixedCodeContext } from "./stored-fixed-code.ts";

/** The snapshot of an event. Times are milliseconds since 1970. */
interface Snapshot {
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/**
 * SQL of an INSERT of an event, for each row of a CTE or table with the columns of `fixed_code`. The event has neither the code nor the
 * recipient and the description, which may name a person. Both are read when somebody reads the event: deleting the fixed code, or erasing
 * its recipient, takes them out of its events.
 */
export const insertFixedCodeEvents = (type: "created" | "deleted", from: string) => `
  INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
  SELECT
    workspace_id, 'live', 'fixed_code.${type}', id, date_trunc('milliseconds', byond_now()),
    jsonb_build_object(
      'createdBy', created_by,
      'createdAt', (extract(epoch FROM created_at) * 1000)::bigint,
      'expiresAt', (extract(epoch FROM expires_at) * 1000)::bigint
    )
  FROM ${from}
  RETURNING subject_id`;

interface LivingFixedCode {
  readonly recipientSealed: Buffer;
  readonly description: string | null;
}

const readLiving = statement<LivingFixedCode & { place: number }>("read_fixed_codes_of_events")(
  { workspaceIds: array(text), ids: array(text) },
  (p) => `
    SELECT asked.place::integer, recipient_sealed, description
    FROM unnest(${p.workspaceIds}, ${p.ids}) WITH ORDINALITY AS asked (workspace_id, id, place),
      LATERAL (
        SELECT recipient_sealed, description FROM fixed_code WHERE workspace_id = asked.workspace_id AND id = asked.id OFFSET 0
      ) AS fixed_code`,
);

/** The fixed codes of events. */
export function fixedCodeEvents(deps: { readonly database: Queryable; readonly keyring: Keyring }): EventObjects {
  return {
    kind: "fixed_code",
    async read(events) {
      const rows = await deps.database.run(readLiving, {
        workspaceIds: events.map(({ workspaceId }) => workspaceId),
        ids: events.map(({ subjectId }) => subjectId),
      });
      const living = new Map(rows.map((row) => [row.place - 1, row]));
      return events.map((event, index) => ({
        case: "fixedCode",
        value: fixedCodeMessage(viewOf(deps.keyring, event, living.get(index))),
      }));
    },
  };
}

function viewOf(keyring: Keyring, event: StoredEvent, living: LivingFixedCode | undefined) {
  const { createdBy, createdAt, expiresAt }: Snapshot = JSON.parse(event.snapshot);
  const context = fixedCodeContext({ workspaceId: event.workspaceId, id: event.subjectId });
  const recipient = living && unseal(keyring, "recipient-seal", context, living.recipientSealed);
  return {
    id: event.subjectId,
    recipient: recipient === undefined ? null : maskRecipient(recipient),
    code: null,
    description: living?.description ?? null,
    createdBy,
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
  };
}
