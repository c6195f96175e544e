import { array, integer, nullable, optional, text } from "../../../database/statement.ts";
import { activeSpan } from "../../../observe/active-span.ts";
import { defineSendStep } from "../define-send-step.ts";
import { fallbackKind, fallbackLane, stepId } from "./fallback-step.ts";

/** Writes the rows of steps. Only sends with a fallback have any. No server has claimed a step that waits: whichever comes by takes it. */
export const queueSteps = defineSendStep({
  name: "fallback",
  parameters: {
    stepIds: array(text),
    stepStatuses: optional(array(text)),
    delaysSeconds: array(integer),
    refusals: optional(array(nullable(text))),
    traceParent: nullable(text),
  },
  isNeeded: ({ steps = [] }) => steps.length > 0,
  // Nearly all sends with a fallback write one step, which waits.
  parts: ({ steps = [] }) => (steps.length === 1 && steps[0]?.status === "pending" ? ["waits"] : []),
  values: ({ verificationId, steps = [] }) => ({
    stepIds: steps.map(({ number }) => stepId(verificationId, number)),
    stepStatuses: steps.map(({ status }) => status),
    delaysSeconds: steps.map(({ afterSeconds }) => afterSeconds),
    refusals: steps.map(({ refusal }) => refusal ?? null),
    traceParent: activeSpan()?.traceParent ?? null,
  }),
  sql: (p, { parts }) => ({
    ctes: parts.includes("waits") ? waitingStep(p) : steps(p),
    changes: ["steps_queued"],
  }),
});

type P = Readonly<
  Record<"workspaceId" | "id" | "stepIds" | "stepStatuses" | "delaysSeconds" | "refusals" | "traceParent", string>
>;

function steps(p: P): string {
  return `steps_queued AS (
    INSERT INTO outbox (
        workspace_id, id, kind, lane, subject_id, payload_sealed, status, available_at, created_at, expires_at, finished_at,
        last_error, trace_parent
      )
      SELECT
        ${p.workspaceId}, step.id, '${fallbackKind}', '${fallbackLane}', ${p.id}, CASE WHEN status = 'pending' THEN ''::bytea END,
        status, created_at + seconds * interval '1 second', created_at, expires_at,
        CASE WHEN status <> 'pending' THEN created_at END, refusal, ${p.traceParent}
      FROM sending, unnest(${p.stepIds}, ${p.stepStatuses}, ${p.delaysSeconds}, ${p.refusals}) AS step (id, status, seconds, refusal)
      RETURNING id
    )`;
}

function waitingStep(p: P): string {
  return `steps_queued AS (
      INSERT INTO outbox (
        workspace_id, id, kind, lane, subject_id, payload_sealed, available_at, created_at, expires_at, trace_parent
      )
      SELECT
        ${p.workspaceId}, (${p.stepIds})[1], '${fallbackKind}', '${fallbackLane}', ${p.id}, '',
        created_at + (${p.delaysSeconds})[1] * interval '1 second', created_at, expires_at, ${p.traceParent}
      FROM sending
      RETURNING id
    )`;
}
