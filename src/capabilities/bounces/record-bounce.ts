import type { Queryable } from "../../database/database.ts";
import { boolean, statement, text } from "../../database/statement.ts";
import type { MailReference } from "../channels/email/mail-reference.ts";

/** That a mail was not delivered. */
export interface Bounce {
  readonly mail: MailReference;
  /** In our words. It names no recipient. */
  readonly reason: string;
  /** There is no such mailbox. */
  readonly isUndeliverable: boolean;
}

/**
 * Marks the newest attempt at a mail as failed, once. The mail is looked up by its subject, which has an index: the report does not tell the
 * workspace. Whoever sees the mail's Message-ID could write such a report; that is its recipient alone, and who reads the workspace's deliveries.
 */
const record = statement<{ isKnown: boolean; recorded: number }>("record_bounce")(
  { deliveryId: text, subjectId: text, reason: text, isUndeliverable: boolean },
  (p) => `
    WITH message AS MATERIALIZED (
      SELECT workspace_id, subject_id, id FROM outbox
      WHERE subject_id = ${p.subjectId} AND id || '' = ${p.deliveryId} AND lane || '' = 'email'
    ), bounced AS (
      UPDATE delivery_attempt AS attempt SET
        state = 'failed', failed_at = date_trunc('milliseconds', byond_now()), error = ${p.reason},
        undeliverable = ${p.isUndeliverable}
      FROM message
      WHERE attempt.workspace_id = message.workspace_id AND attempt.subject_id = message.subject_id
        AND attempt.outbox_id = message.id AND attempt.state = 'sent'
        AND NOT EXISTS (
          SELECT FROM delivery_attempt AS other
          WHERE other.workspace_id = message.workspace_id AND other.subject_id = message.subject_id
            AND other.outbox_id = message.id AND (other.state = 'failed' OR other.claim > attempt.claim)
        )
      RETURNING attempt.outbox_id
    )
    SELECT EXISTS (SELECT FROM message) AS is_known, (SELECT count(*) FROM bounced)::integer AS recorded`,
);

/** Records a bounce. `known`: it was recorded before, or is about a mail that did not leave; `unknown`: no mail of ours. */
export async function recordBounce(
  database: Queryable,
  { mail, reason, isUndeliverable }: Bounce,
): Promise<"recorded" | "known" | "unknown"> {
  const [row] = await database.run(record, { ...mail, reason, isUndeliverable });
  return row?.isKnown === true ? (row.recorded > 0 ? "recorded" : "known") : "unknown";
}
