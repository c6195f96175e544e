import { defineStep, type SharedStatement } from "../../../database/shared-statement.ts";
import { array, bigint, nullable, optional, statement, text } from "../../../database/statement.ts";
import { AppError } from "../../../errors.ts";
import { addPrice, chargedPart, judgedRange, noteNumber, type Send, type sendParameters } from "../define-send-step.ts";
import { type AddedSendSteps, type SendingRow, sendingColumns, sendStatement } from "../send-steps.ts";
import { maxSends } from "../verify.policy.ts";

/** A send that a step of a verification's fallback makes. */
export interface TakenStep extends Send {
  readonly stepId: string;
  /** Which of the verification's recipients it goes to. */
  readonly recipientForm: "first" | "second";
}

/** A row of the statement. */
export interface TakenRow extends SendingRow {
  /** Null: the verification is no longer pending. */
  readonly hasArrived: boolean | null;
}

/**
 * Locks the verification if it is pending, and then the step if nobody has ended it: in this order, as whatever ends a verification. A run passes
 * unless the code has arrived meanwhile.
 */
const target = defineStep<TakenStep, typeof sendParameters>()({
  name: "target",
  parameters: { stepId: text },
  values: (taken) => taken,
  sql: (p, { reached }) => ({
    ctes: `target AS (
      SELECT expires_at, sends < ${maxSends} AS has_sends_left, code_has_arrived(workspace_id, id) AS has_arrived
      FROM verification
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
        AND status = 'pending' AND expires_at > byond_now() AND ${reached}
      FOR UPDATE OF verification
    ), step AS (
      SELECT id FROM outbox
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.stepId} AND finished_at IS NULL AND EXISTS (SELECT FROM target)
      FOR UPDATE OF outbox
    )`,
    passed: "EXISTS (SELECT FROM target WHERE has_sends_left AND NOT has_arrived) AND EXISTS (SELECT FROM step)",
    changes: ["target", "step"],
    columns: {
      has_sends_left: "(SELECT has_sends_left FROM target)",
      has_arrived: "(SELECT has_arrived FROM target)",
    },
  }),
  refusal({
    hasSendsLeft,
    hasArrived,
  }: {
    readonly hasSendsLeft: boolean | null;
    readonly hasArrived: boolean | null;
  }) {
    return hasSendsLeft === false && hasArrived === false
      ? new AppError("send_limit_reached", "This code was sent five times, which is the maximum.")
      : undefined;
  },
});

const countStep = defineStep<TakenStep, typeof sendParameters>()({
  name: "verification",
  parameters: {
    stepId: text,
    recipientForm: text,
    limitIndexes: array(text),
    numberRange: nullable(text),
    price: optional(bigint),
  },
  parts: chargedPart,
  values: (taken) => ({ ...taken, numberRange: judgedRange(taken), price: taken.charge?.amount }),
  sql: (p, { reached, parts }) => ({
    ctes: `sending AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, expires_at FROM target WHERE ${reached}
    ), counted AS (
      UPDATE verification SET
        sends = sends + 1,${addPrice(parts, p)}${noteNumber(p.numberRange)},
        unsent_recipient = nullif(unsent_recipient, ${p.recipientForm}),
        limit_indexes = CASE WHEN unsent_recipient = ${p.recipientForm} THEN limit_indexes || ${p.limitIndexes} ELSE limit_indexes END
      FROM sending
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}
      RETURNING id
    ), taken AS (
      UPDATE outbox SET status = 'sent', payload_sealed = NULL, finished_at = sending.created_at, last_error = NULL
      FROM sending
      WHERE workspace_id = ${p.workspaceId} AND outbox.id = ${p.stepId}
      RETURNING outbox.id
    )`,
    changes: ["counted", "taken"],
    columns: sendingColumns,
  }),
});

/** The statement that takes a step: what a resend does, with the row of the step and of the following one. */
export function takeStepStatement(added: AddedSendSteps): SharedStatement<TakenStep, TakenRow> {
  return sendStatement<TakenStep, TakenRow>("take_fallback_step", { target, verification: countStep }, added);
}

/** Finds a message that this server wrote: another server may have taken the step instead, and sends it. */
export const lookUpTaken = statement<TakenRow>("look_up_taken_step")(
  { workspaceId: text, messageId: text, serverId: text },
  (p) => `
    SELECT created_at, expires_at, false AS has_arrived FROM outbox
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.messageId} AND claimed_by = ${p.serverId}`,
);
