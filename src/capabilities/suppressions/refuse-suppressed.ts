import { defineStep } from "../../database/shared-statement.ts";
import { array, double, text } from "../../database/statement.ts";
import { recipientUndeliverable } from "../../errors.ts";
import type { Send, SendStep, sendParameters } from "../verify/define-send-step.ts";
import { daysOn } from "./suppressions.policy.ts";

/** Codes that the server sends for its own accounts: nobody could remove a suppression of them. */
const isOfServer = ({ workspaceId }: Send) => workspaceId.startsWith("ws_byond/");

/**
 * Refuses to send a code to a suppressed recipient, if it would be sent, before a limit is counted. One look-up in an index that begins with the recipient; the
 * other conditions cannot use one (decision 37).
 */
export function refuseSuppressed(suppressionDays: () => number): SendStep {
  return defineStep<Send, typeof sendParameters>()({
    name: "suppression",
    parameters: { channel: text, indexes: array(text), days: double },
    isNeeded: (send) => suppressionDays() > 0 && !isOfServer(send) && send.message !== undefined,
    values: ({ channel, exactIndexes }) => ({
      channel,
      indexes: exactIndexes,
      days: daysOn(channel, suppressionDays()),
    }),
    sql: (p, { reached }) => ({
      ctes: `suppression_found AS MATERIALIZED (
        SELECT min(reason) AS reason FROM suppression
        WHERE recipient_index = ANY (${p.indexes}) AND workspace_id || '' = ${p.workspaceId} AND mode || '' = ${p.mode}
          AND channel || '' = ${p.channel} AND created_at > byond_now() - ${p.days} * interval '1 day' AND ${reached}
      )`,
      passed: "(SELECT reason FROM suppression_found) IS NULL",
      columns: { suppression_reason: "(SELECT reason FROM suppression_found)" },
    }),
    refusal: ({ suppressionReason }: { readonly suppressionReason: string }) =>
      recipientUndeliverable(suppressionReason),
  });
}
