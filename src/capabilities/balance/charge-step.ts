import { defineStep } from "../../database/shared-statement.ts";
import { bigint, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { Send, SendStep, sendParameters } from "../verify/define-send-step.ts";

/**
 * Charges the price of a send to a reserve that this server has: one look-up by a primary key, and an entry of the ledger. Nothing refuses the
 * send after it, so what is charged is sent. If the reserve is closed meanwhile, `sendCode` tries again with another one.
 */
export const chargeStep: SendStep = defineStep<Send, typeof sendParameters>()({
  name: "charge",
  parameters: { reserveId: text, messageId: text, amount: bigint, item: text, keyId: text },
  isNeeded: ({ charge }) => charge !== undefined,
  values: ({ charge, message }) => ({
    reserveId: charge?.reserveId ?? "",
    messageId: message?.id ?? "",
    amount: charge?.amount ?? 0,
    item: charge?.item ?? "",
    keyId: charge?.keyId ?? "",
  }),
  sql: (p, { reached }) => ({
    ctes: `charge AS MATERIALIZED (
      SELECT spend_charge(
        ${p.workspaceId}, ${p.reserveId}, ${p.messageId}, ${p.amount}, ${p.id}, ${p.item}, ${p.keyId}
      ) AS is_made
      WHERE ${reached}
    )`,
    passed: "EXISTS (SELECT FROM charge WHERE is_made)",
    changes: ["charge"],
    columns: { charged: "(SELECT is_made FROM charge)" },
  }),
  refusal: () => new AppError("unavailable", "The balance is in use. Try again.", { retryAfterSeconds: 1 }),
});
