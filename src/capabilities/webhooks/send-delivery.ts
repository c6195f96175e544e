import type { Clock } from "../../clock.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { boolean, bytea, integer, nullable, statement, text } from "../../database/statement.ts";
import { constantLimit, consumeToken } from "../../database/throttle.ts";
import { type StoredEvent, storedEventColumns } from "../../events/event-log.ts";
import { type OutboxItem, type OutboxSender, outboxInsert } from "../../outbox/outbox.ts";
import type { SendResult } from "../../outbox/send-result.ts";
import type { CustomerAnswer, PostToCustomer } from "../../outgoing/post-to-customer.ts";
import { deliveryHeaders } from "../../outgoing/webhook-signature.ts";
import type { RenderEvent } from "./render-event.ts";
import { secretsOf } from "./webhook-secrets.ts";
import {
  disabledMailKind,
  disabledMailLimit,
  failingDays,
  failureGapHours,
  retryAfterMs,
  retryJitter,
} from "./webhooks.policy.ts";

/** What a delivery needs beside its message. */
interface Due {
  readonly endpointId: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly apiVersion: string;
  readonly eventId: string;
}

const readDue = statement<Due>("read_webhook_delivery")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT endpoint.id AS endpoint_id, url, api_version, event_id,
      enabled AND EXISTS (SELECT FROM workspace WHERE id = ${p.workspaceId} AND deactivated_at IS NULL) AS enabled
    FROM (
      SELECT endpoint_id, event_id FROM webhook_delivery WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} OFFSET 0
    ) AS delivery, LATERAL (SELECT * FROM webhook_endpoint WHERE id = delivery.endpoint_id OFFSET 0) AS endpoint`,
);

const readEvent = statement<StoredEvent>("read_event_to_deliver")(
  { eventId: text },
  (p) => `SELECT ${storedEventColumns} FROM event WHERE id = ${p.eventId}`,
);

/** Of two servers that make the first attempt, which is rare, one fixes the body. Answers it; no row: the message is finished. */
const fixBody = statement<{ payloadSealed: Buffer }>("fix_webhook_body")(
  { workspaceId: text, id: text, body: bytea },
  (p) => `
    UPDATE outbox SET payload_sealed = CASE WHEN payload_sealed = '' THEN ${p.body} ELSE payload_sealed END
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND finished_at IS NULL
    RETURNING payload_sealed`,
);

const attempt = { workspaceId: text, id: text, endpointId: text, status: nullable(integer), body: nullable(text) };

const answered = (p: { readonly [Name in keyof typeof attempt]: string }) => `
  UPDATE webhook_delivery SET response_status = ${p.status}, response_body = ${p.body}
  WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}
  RETURNING id`;

const recordSuccess = statement("record_webhook_success")(
  attempt,
  (p) => `
    WITH answered AS (${answered(p)})
    UPDATE webhook_endpoint SET failing_since = NULL, failed_at = NULL
    WHERE id = ${p.endpointId} AND failing_since IS NOT NULL`,
);

/**
 * Notes that the endpoint fails, and disables it if it is gone or has failed for too long: a trigger writes the event. The owner gets a
 * mail, if the server sends mails, none is waiting that will say so, and the workspace has not had too many of them.
 * The waiting one is locked, so that it is not judged by the endpoint as it was before. No row: it is disabled already, or has another
 * URL by now, of which the attempt says nothing.
 */
const recordFailure = statement<{ enabled: boolean }>("record_webhook_failure")(
  { ...attempt, url: text, isGone: boolean, mailId: text, mailLane: nullable(text) },
  (p) => `
    WITH answered AS (${answered(p)}), before AS (
      SELECT id, moment, CASE
        WHEN failed_at > moment - interval '${failureGapHours} hours' THEN coalesce(failing_since, moment)
        ELSE moment
      END AS since
      FROM webhook_endpoint, date_trunc('milliseconds', byond_now()) AS moment
      WHERE id = ${p.endpointId} AND url = ${p.url} AND enabled
      FOR UPDATE OF webhook_endpoint
    ), changed AS (
      UPDATE webhook_endpoint SET
        failing_since = since,
        failed_at = moment,
        enabled = NOT is_over,
        disabled_reason = CASE WHEN ${p.isGone} THEN 'gone' WHEN is_over THEN 'failing' END,
        disabled_at = CASE WHEN is_over THEN moment END
      FROM before, LATERAL (
        SELECT ${p.isGone} OR since <= moment - interval '${failingDays} days' AS is_over
      ) AS judged
      WHERE webhook_endpoint.id = before.id
      RETURNING webhook_endpoint.id, workspace_id, enabled, disabled_at
    ), waiting AS (
      SELECT id FROM outbox
      WHERE subject_id = ${p.endpointId} AND kind = '${disabledMailKind}' AND status = 'pending' AND claimed_by IS NULL
      FOR UPDATE
    ), token AS (${consumeToken({
      workspaceId: "workspace_id",
      key: "'webhook-disabled-mail'",
      limit: constantLimit(disabledMailLimit),
      from: `FROM changed WHERE NOT enabled AND ${p.mailLane} IS NOT NULL AND NOT EXISTS (SELECT FROM waiting)`,
    })}), told AS (
      SELECT changed.* FROM changed, token
    ), queued AS (${outboxInsert({
      from: "told",
      workspaceId: "workspace_id",
      id: p.mailId,
      kind: `'${disabledMailKind}'`,
      lane: p.mailLane,
      subjectId: "id",
      // The mail is written from the endpoint when it is sent.
      payloadSealed: "''::bytea",
      claimedBy: "NULL",
      createdAt: "disabled_at",
      expiresAt: "disabled_at + interval '2 days'",
    })})
    SELECT enabled FROM changed`,
);

export interface DeliverySenderDependencies {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "now">;
  readonly keyring: Keyring;
  readonly post: PostToCustomer;
  readonly render: RenderEvent;
  /** The lane of mails to owners. Null: the server sends none. */
  readonly mailLane: string | null;
  /** Called when an endpoint was disabled, which wrote an event. */
  readonly onDisabled: () => void;
}

/** Sends events to endpoints. */
export class DeliverySender implements OutboxSender {
  readonly #deps: DeliverySenderDependencies;

  constructor(deps: DeliverySenderDependencies) {
    this.#deps = deps;
  }

  /** The pauses of the schedule, each a little longer at random. */
  readonly backoffMs = (attempts: number, random: () => number): number => {
    const pauseMs = retryAfterMs[attempts - 1] ?? retryAfterMs[retryAfterMs.length - 1] ?? 0;
    return Math.round(pauseMs * (1 + retryJitter * random()));
  };

  async send(item: OutboxItem, signal: AbortSignal): Promise<SendResult> {
    const { database, keyring, post, clock } = this.#deps;
    const { workspaceId, id } = item;
    const [due] = await database.run(readDue, { workspaceId, id });
    if (due === undefined || !due.enabled) {
      return { kind: "withdrawn", reason: `the webhook is ${due === undefined ? "deleted" : "disabled"}` };
    }
    const body = await this.#bodyOf(item, due);
    if (body === undefined) {
      return { kind: "withdrawn", reason: "the event is deleted" };
    }
    const secrets = await secretsOf(database, keyring, due.endpointId);
    if (secrets.length === 0) {
      const reason = "the secret of the webhook cannot be read: its master secret is not in BYOND_SECRET";
      return { kind: "retry", reason, provider: "unknown" };
    }
    const answer = await post({
      url: due.url,
      headers: deliveryHeaders(secrets, { id: due.eventId, body, now: clock.now() }),
      body: Buffer.from(body),
      signal,
    });
    if (signal.aborted) {
      return { kind: "retry", reason: "the attempt was aborted", provider: "unknown" };
    }
    return this.#record(item, due, answer);
  }

  async #record({ workspaceId, id, attempts }: OutboxItem, { endpointId, url }: Due, answer: CustomerAnswer) {
    const { database, mailLane, onDisabled } = this.#deps;
    const status = answer.kind === "answered" ? answer.status : null;
    const values = { workspaceId, id, endpointId, status, body: answer.kind === "answered" ? answer.body : null };
    if (isSuccess(answer)) {
      await database.run(recordSuccess, values);
      return { kind: "sent", providerMessageId: id } as const;
    }
    const isGone = status === 410;
    const [endpoint] = await database.run(recordFailure, {
      ...values,
      url,
      isGone,
      mailId: createId("dlv"),
      mailLane,
    });
    if (endpoint?.enabled === false) {
      onDisabled();
    }
    const reason = answer.kind === "answered" ? `the endpoint answered with status ${answer.status}` : answer.reason;
    // It failed in a way that concerns the endpoint, and not this event, if it is not there or says so.
    const isDown = answer.kind === "unanswered" || answer.status >= 500 || answer.status === 429;
    return (isGone && endpoint !== undefined) || attempts >= retryAfterMs.length
      ? ({ kind: "failed", reason, provider: "works" } as const)
      : ({ kind: "retry", reason, provider: isDown ? "fails" : "works" } as const);
  }

  /** The body, which the first attempt fixes. Undefined: the event is deleted, or the message finished, before that. */
  async #bodyOf({ workspaceId, id, payloadSealed }: OutboxItem, due: Due): Promise<string | undefined> {
    const { database, keyring, render } = this.#deps;
    const context = `${workspaceId}/${id}`;
    const fixed = payloadSealed.length === 0 ? undefined : unseal(keyring, "webhook-body", context, payloadSealed);
    if (fixed !== undefined) {
      return fixed;
    }
    const [event] = await database.run(readEvent, { eventId: due.eventId });
    if (event === undefined) {
      return undefined;
    }
    const body = await render(event, due.apiVersion);
    const [row] = await database.run(fixBody, { workspaceId, id, body: seal(keyring, "webhook-body", context, body) });
    // A body that was sealed with a master secret that is gone is written anew for each attempt.
    return row && (unseal(keyring, "webhook-body", context, row.payloadSealed) ?? body);
  }
}

export function isSuccess(answer: CustomerAnswer): boolean {
  return answer.kind === "answered" && answer.status >= 200 && answer.status < 300;
}
