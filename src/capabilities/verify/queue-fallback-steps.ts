import { array, integer, nullable, text } from "../../database/statement.ts";
import { defineSendStep } from "./define-send-step.ts";
import { fallbackKind, fallbackLane, stepId } from "./fallback-step.ts";

/** Writes the rows of steps. Only sends with a fallback have any. No server has claimed a step that waits: whichever comes by takes it. */
export const queueSteps = defineSendStep({
  name: "fallback",
  parameters: {
    stepIds: array(text),
    stepStatuses: array(text),
    delaysSeconds: array(integer),
    refusals: array(nullable(text)),
  },
  isNeeded: ({ steps = [] }) => steps.length > 0,
  values: ({ verificationId, steps = [] }) => ({
    stepIds: steps.map(({ number }) => stepId(verificationId, number)),
    stepStatuses: steps.map(({ status }) => status),
    delaysSeconds: steps.map(({ afterSeconds }) => afterSeconds),
    refusals: steps.map(({ refusal }) => refusal ?? null),
  }),
  sql: (p) => ({
    ctes: `steps_queued AS (
      INSERT INTO outbox (
        workspace_id, id, kind, lane, subject_id, payload_sealed, status, available_at, created_at, expires_at, finished_at,
        last_error
      )
      SELECT
        ${p.workspaceId}, step.id, '${fallbackKind}', '${fallbackLane}', ${p.id}, CASE WHEN status = 'pending' THEN ''::bytea END,
        status, created_at + seconds * interval '1 second', created_at, expires_at,
        CASE WHEN status <> 'pending' THEN created_at END, refusal
      FROM sending, unnest(${p.stepIds}, ${p.stepStatuses}, ${p.delaysSeconds}, ${p.refusals}) AS step (id, status, seconds, refusal)
      RETURNING id
    )`,
    changes: ["steps_queued"],
  }),
});
