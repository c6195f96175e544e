import { limitLockWait } from "../../../database/database.ts";
import { nullable, statement, text } from "../../../database/statement.ts";
import { outboxInsert } from "../../../outbox/outbox.ts";
import { fallbackKind, fallbackLane } from "./fallback-step.ts";

/** Both are null if no following step was written. */
interface FollowingRow {
  readonly createdAt: Date | null;
  readonly expiresAt: Date | null;
}

/**
 * Ends a step that is not taken: `failed` if it was refused, `expired` if it is not needed. Writes the following one, if there is one and the
 * verification is still pending, for this server, which takes it at once.
 */
export const endStep = statement<FollowingRow>("end_fallback_step")(
  {
    workspaceId: text,
    verificationId: text,
    stepId: text,
    status: text,
    /** Null: the code has arrived, or else the verification has ended. */
    reason: nullable(text),
    followingId: nullable(text),
    serverId: text,
  },
  (p) => `
    WITH ${limitLockWait}, target AS (
      SELECT expires_at FROM verification, begun
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.verificationId} AND status = 'pending' AND expires_at > byond_now()
      FOR UPDATE OF verification
    ), ended AS (
      UPDATE outbox SET status = ${p.status}, payload_sealed = NULL, finished_at = byond_now(),
        last_error = coalesce(${p.reason}, CASE WHEN EXISTS (SELECT FROM target) THEN 'delivered' ELSE 'ended' END)
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.stepId} AND finished_at IS NULL
        AND (SELECT count(*) FROM target) >= 0
      RETURNING id, trace_parent
    ), following AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, target.expires_at, trace_parent FROM target, ended
      WHERE ${p.followingId} IS NOT NULL
    ), queued AS (${outboxInsert({
      from: "following",
      workspaceId: p.workspaceId,
      id: p.followingId,
      kind: `'${fallbackKind}'`,
      lane: `'${fallbackLane}'`,
      subjectId: p.verificationId,
      payloadSealed: "''::bytea",
      claimedBy: p.serverId,
      createdAt: "created_at",
      expiresAt: "expires_at",
      traceParent: "trace_parent",
    })})
    SELECT following.created_at, following.expires_at
    FROM (SELECT count(*) FROM queued) AS written LEFT JOIN following ON true`,
);

/** Finds the following step that this server wrote. */
export const lookUpFollowing = statement<FollowingRow>("look_up_following_fallback_step")(
  { workspaceId: text, stepId: text, followingId: nullable(text), serverId: text },
  (p) => `
    SELECT following.created_at, following.expires_at
    FROM outbox AS ended LEFT JOIN outbox AS following
      ON following.workspace_id = ${p.workspaceId} AND following.id = ${p.followingId} AND following.claimed_by = ${p.serverId}
    WHERE ended.workspace_id = ${p.workspaceId} AND ended.id = ${p.stepId} AND ended.finished_at IS NOT NULL`,
);
