import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import type { EventObjects } from "../events/event-messages.ts";
import { verificationMessage } from "./verification-proto.ts";
import { type ViewRow, viewOf } from "./verification-view.ts";

/** What an erasure erases. It is not stored with events. */
type Erasable = Pick<ViewRow, "recipientSealed" | "secondRecipientSealed" | "metadata">;

/** The snapshot of an event, as `verify-0004.migration.ts` writes it. Times are milliseconds since 1970. */
interface Snapshot extends Omit<ViewRow, keyof Erasable | "id" | "createdAt" | "expiresAt" | "approvedAt"> {
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly approvedAt: number | null;
}

const readErasable = statement<Erasable & { id: string }>("read_erasable_of_verifications")(
  { workspaceIds: array(text), ids: array(text) },
  (p) => `
    SELECT verification.id, recipient_sealed, second_recipient_sealed, metadata
    FROM unnest(${p.workspaceIds}, ${p.ids}) AS asked (workspace_id, id),
      LATERAL (
        SELECT * FROM verification WHERE workspace_id = asked.workspace_id AND id = asked.id OFFSET 0
      ) AS verification`,
);

const erased: Erasable = { recipientSealed: null, secondRecipientSealed: null, metadata: {} };

/** The verifications of events. Those that are deleted are shown like those that are erased. */
export function verificationEvents(deps: { readonly database: Queryable; readonly keyring: Keyring }): EventObjects {
  return {
    kind: "verification",
    async read(events) {
      const subjects = new Map(events.map(({ subjectId, workspaceId }) => [subjectId, workspaceId]));
      const rows = await deps.database.run(readErasable, {
        workspaceIds: [...subjects.values()],
        ids: [...subjects.keys()],
      });
      const found = new Map(rows.map((row) => [row.id, row]));
      return events.map((event) => {
        const view = viewOf(deps.keyring, event.workspaceId, rowOf(event, found.get(event.subjectId) ?? erased));
        return { case: "verification", value: verificationMessage(view) };
      });
    },
  };
}

function rowOf({ subjectId: id, snapshot }: StoredEvent, erasable: Erasable): ViewRow {
  const stored: Snapshot = JSON.parse(snapshot);
  const { recipientSealed, secondRecipientSealed, metadata } = erasable;
  return {
    ...stored,
    id,
    createdAt: new Date(stored.createdAt),
    expiresAt: new Date(stored.expiresAt),
    approvedAt: stored.approvedAt === null ? null : new Date(stored.approvedAt),
    recipientSealed,
    secondRecipientSealed,
    metadata,
  };
}
