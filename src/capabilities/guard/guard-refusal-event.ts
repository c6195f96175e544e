import { createId } from "../../crypto/ids.ts";
import { change, type Database } from "../../database/database.ts";
import { nullable, statement, text } from "../../database/statement.ts";
import type { RefusedSend } from "../verify/send-guard.ts";

/** SQL of each column of the event. */
type RefusalSql = Readonly<
  Record<
    | "workspaceId"
    | "mode"
    | "id"
    | "createdAt"
    | "enforced"
    | "reason"
    | "channel"
    | "country"
    | "numberRange"
    | "verificationId"
    | "from",
    string
  >
>;

/** SQL of an INSERT of the event of a refusal. It names no recipient. */
export const insertRefusalEvent = (sql: RefusalSql) => `
  INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
  SELECT ${sql.workspaceId}, ${sql.mode}, 'guard_refusal.recorded', ${sql.id}, ${sql.createdAt}, jsonb_build_object(
    'enforced', ${sql.enforced}, 'reason', ${sql.reason}, 'channel', ${sql.channel}, 'country', ${sql.country},
    'numberRange', ${sql.numberRange}, 'verificationId', ${sql.verificationId}
  )
  FROM ${sql.from}
  RETURNING subject_id`;

const insertRefusal = statement<{ subjectId: string }>("record_guard_refusal")(
  {
    workspaceId: text,
    mode: text,
    id: text,
    reason: text,
    channel: text,
    country: nullable(text),
    numberRange: text,
  },
  (p) =>
    insertRefusalEvent({
      workspaceId: p.workspaceId,
      mode: p.mode,
      id: p.id,
      reason: p.reason,
      channel: p.channel,
      country: p.country,
      numberRange: p.numberRange,
      createdAt: "at",
      enforced: "true",
      verificationId: "NULL::text",
      from: "date_trunc('milliseconds', byond_now()) AS at",
    }),
);

/** Records a send that was refused, in a transaction of its own: that of the send is rolled back. */
export async function recordRefusal(
  { database }: { readonly database: Pick<Database, "transaction"> },
  { workspaceId, mode, reason, screening: { channel, country, numberRange } }: RefusedSend,
): Promise<void> {
  await change(database, insertRefusal, {
    workspaceId,
    mode,
    id: createId("grf"),
    reason,
    channel,
    country,
    numberRange,
  });
}
