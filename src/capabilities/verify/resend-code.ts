import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import { limitLockWait } from "../../database/database.ts";
import { array, boolean, bytea, nullable, statement, statementOfParts, text } from "../../database/statement.ts";
import { AppError, invalidFields } from "../../errors.ts";
import { outboxInsert } from "../../outbox/outbox.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { getVerification } from "./get-verification.ts";
import { type SendPart, type SendWait, sendLimits, sendParameters, sendRefusal, sendSteps } from "./limits.ts";
import {
  exactIndex,
  exactIndexes,
  formOf,
  limitIndexes,
  parseRecipient,
  type Recipient,
  recipientContext,
  secondRecipientContext,
} from "./recipient.ts";
import type { OriginLimits, StartDependencies, VerificationOwner } from "./start-verification.ts";
import type { VerificationView } from "./verification-view.ts";
import { maxSends } from "./verify.policy.ts";

export interface ResendInput {
  readonly verificationId: string;
  /** Undefined: that of the start. */
  readonly channel: ChannelName | undefined;
  /** Undefined: the one that the code was sent to in the form of the channel. */
  readonly recipient: string | undefined;
  readonly originLimits: OriginLimits;
}

const readPending = statement<PendingRow>("read_pending_verification")(
  { workspaceId: text, mode: text, id: text },
  (p) => `
    SELECT
      channel, recipient_sealed, second_recipient_sealed, end_user_sealed, brand, locale, autofill_domain, code_length, secret_id
    FROM verification
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
      AND status = 'pending' AND expires_at > byond_now()`,
);

interface PendingRow {
  readonly channel: ChannelName;
  readonly recipientSealed: Buffer;
  readonly secondRecipientSealed: Buffer | null;
  readonly endUserSealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  readonly codeLength: number;
  readonly secretId: string;
}

/**
 * Queues one more message, if the verification is still pending and was sent fewer than five times, the recipient is the one
 * that it has of this form (`isSecond`: the second one) or its first of this form, and every limit has a token.
 */
const resend = statementOfParts<ResendRow, SendPart>("resend_code")(
  {
    workspaceId: text,
    mode: text,
    id: text,
    isSecond: boolean,
    exactIndexes: array(text),
    limitIndexes: array(text),
    secondRecipientSealed: nullable(bytea),
    secondRecipientIndex: nullable(text),
    ...sendParameters,
    messageId: text,
    lane: text,
    payloadSealed: bytea,
    serverId: text,
    credential: heldCredential,
  },
  (p, parts) => {
    const limits = sendSteps(p, parts, "EXISTS (SELECT FROM target WHERE has_sends_left AND is_recipient)");
    return `
    WITH ${limitLockWait}, target AS (
      SELECT
        expires_at, sends < ${maxSends} AS has_sends_left,
        CASE WHEN ${p.isSecond} THEN second_recipient_index IS NULL OR second_recipient_index = ANY (${p.exactIndexes})
          ELSE recipient_index = ANY (${p.exactIndexes}) END AS is_recipient
      FROM verification, begun
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
        AND status = 'pending' AND expires_at > byond_now()
      FOR UPDATE OF verification
    ), ${limits.ctes}, message AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, expires_at
      FROM target WHERE has_sends_left AND is_recipient AND ${limits.allTaken}
    ), counted AS (
      UPDATE verification SET
        sends = sends + 1,
        second_recipient_sealed = coalesce(second_recipient_sealed, ${p.secondRecipientSealed}),
        second_recipient_index = coalesce(second_recipient_index, ${p.secondRecipientIndex}),
        limit_indexes = CASE
          WHEN second_recipient_index IS NULL AND ${p.secondRecipientIndex} IS NOT NULL
          THEN limit_indexes || ${p.limitIndexes}
          ELSE limit_indexes
        END
      FROM message
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}
      RETURNING id
    ), queued AS (${outboxInsert({
      from: "message",
      workspaceId: p.workspaceId,
      id: p.messageId,
      kind: `'${codeMessageKind}'`,
      lane: p.lane,
      subjectId: p.id,
      payloadSealed: p.payloadSealed,
      claimedBy: p.serverId,
      createdAt: "created_at",
      expiresAt: "expires_at",
    })})
    SELECT
      (SELECT has_sends_left FROM target) AS has_sends_left,
      (SELECT is_recipient FROM target) AS is_recipient,
      (SELECT created_at FROM message) AS created_at,
      (SELECT expires_at FROM message) AS expires_at,
      (SELECT bucket FROM wait) AS empty_bucket,
      (SELECT seconds FROM wait) AS wait_seconds,
      ${requireCredential(p.credential, { after: ["target", "counted"], effect: "queued" })}`;
  },
);

const lookUpQueued = statement<ResendRow>("look_up_queued_message")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT true AS has_sends_left, true AS is_recipient, created_at, expires_at, NULL AS empty_bucket, NULL AS wait_seconds
    FROM outbox WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

interface ResendRow extends SendWait {
  /** Null if the verification is not pending any more. */
  readonly hasSendsLeft: boolean | null;
  readonly isRecipient: boolean | null;
  readonly createdAt: Date | null;
  readonly expiresAt: Date | null;
}

/**
 * Sends the code of a pending verification once more; it stays the same, and so do its expiry and its attempts. One that is
 * not pending is left alone. Answers what the verification is now.
 *
 * A verification has one recipient of each form, mail and phone: the start's, and the first that a resend names of the
 * other form.
 *
 * Throws `invalid_api_key` if the credential does not hold any more; `not_found`; `validation_error` for a recipient that
 * the channel does not take or that is another one of the same form, and for a channel without a provider;
 * `send_limit_reached`; and `rate_limited` as a start does.
 */
export async function resendCode(
  deps: StartDependencies,
  caller: VerificationOwner,
  input: ResendInput,
): Promise<VerificationView> {
  const { workspaceId, mode } = caller;
  const ref = { workspaceId, mode, verificationId: input.verificationId };
  const [pending] = await deps.database.run(readPending, { workspaceId, mode, id: input.verificationId });
  if (pending !== undefined && deps.keyring.find(pending.secretId) !== undefined) {
    await queueMessage(deps, caller, input, pending);
    // It is done: also who waits no longer is told so.
    return withoutDeadline(() => getVerification(deps, ref));
  }
  return getVerification(deps, ref);
}

async function queueMessage(
  { database, keyring, codes }: StartDependencies,
  { workspaceId, mode, isVerified, credential }: VerificationOwner,
  input: ResendInput,
  pending: PendingRow,
): Promise<void> {
  const { verificationId } = input;
  const channel = input.channel ?? pending.channel;
  const recipient = recipientOf(keyring, workspaceId, channel, input, pending);
  const lane = codes.laneFor(channel, mode);
  if (lane === undefined) {
    throw invalidFields({ channel: "is not served here yet" });
  }
  const isSecond = isSecondForm(channel, pending);
  const message = sealCodeMessage(keyring, workspaceId, {
    channel,
    recipient: recipient.address,
    brand: pending.brand,
    codeLength: pending.codeLength,
    mode,
    secretId: pending.secretId,
    ...(pending.locale === null ? {} : { locale: pending.locale }),
    ...(pending.autofillDomain === null ? {} : { autofillDomain: pending.autofillDomain }),
  });
  const context = recipientContext(workspaceId, verificationId);
  const endUserKey =
    pending.endUserSealed === null ? undefined : unseal(keyring, "end-user-seal", context, pending.endUserSealed);
  const origin = input.originLimits(endUserKey);
  const indexes = limitIndexes(keyring, recipient);
  const secondContext = secondRecipientContext(workspaceId, verificationId);
  const isShared = !isVerified && codes.hasProvider(channel, mode);
  const limits = sendLimits({ origin, mode, limitIndexes: indexes, isShared });
  const claimedAtMs = codes.monotonicMs();
  const values = {
    workspaceId,
    mode,
    id: verificationId,
    isSecond,
    exactIndexes: exactIndexes(keyring, recipient),
    limitIndexes: indexes,
    secondRecipientSealed: isSecond ? seal(keyring, "recipient-seal", secondContext, recipient.address) : null,
    secondRecipientIndex: isSecond ? exactIndex(keyring.current, recipient) : null,
    ...limits.values,
    messageId: message.id,
    lane,
    payloadSealed: message.payloadSealed,
    serverId: codes.serverId,
    credential,
  };
  const lookUp = lookUpQueued.bind({ workspaceId, id: message.id });
  const [row] = await database.run(resend(limits.parts), values, lookUp);
  if (row === undefined || row.hasSendsLeft === null) {
    return;
  }
  if (!row.hasSendsLeft) {
    throw new AppError(
      "send_limit_reached",
      "This code was sent five times, which is the most. Start a new verification.",
    );
  }
  if (row.isRecipient !== true) {
    throw invalidFields({
      recipient: "must be the one that this code was sent to; start a verification for another one",
    });
  }
  const { createdAt, expiresAt } = row;
  if (createdAt === null || expiresAt === null) {
    throw sendRefusal(row, origin);
  }
  codes.dispatch({
    workspaceId,
    ...message,
    kind: codeMessageKind,
    lane,
    subjectId: verificationId,
    attempts: 0,
    claim: 1,
    createdAt,
    expiresAt,
    claimedAtMs,
  });
}

/** Whether the channel takes the form of recipient that the start's channel does not. */
function isSecondForm(channel: ChannelName, pending: PendingRow): boolean {
  return formOf(channel) !== formOf(pending.channel);
}

/** Whom to send to: whom the call names, or whom the code was sent to in the form that the channel takes. */
function recipientOf(
  keyring: Keyring,
  workspaceId: string,
  channel: ChannelName,
  { verificationId, recipient: named }: ResendInput,
  pending: PendingRow,
): Recipient {
  const text = named ?? knownRecipient(keyring, workspaceId, verificationId, isSecondForm(channel, pending), pending);
  if (text === undefined) {
    throw invalidFields({ recipient: "is required for this channel" });
  }
  const recipient = parseRecipient(channel, text);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  return recipient;
}

function knownRecipient(
  keyring: Keyring,
  workspaceId: string,
  verificationId: string,
  isSecond: boolean,
  pending: PendingRow,
): string | undefined {
  const sealed = isSecond ? pending.secondRecipientSealed : pending.recipientSealed;
  const context = (isSecond ? secondRecipientContext : recipientContext)(workspaceId, verificationId);
  return sealed === null ? undefined : unseal(keyring, "recipient-seal", context, sealed);
}
