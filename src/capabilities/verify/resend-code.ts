import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { limitLockWait } from "../../database/database.ts";
import { AppError, invalidFields } from "../../errors.ts";
import { outboxInsert } from "../../outbox/outbox.ts";
import { requireCredential } from "../../revocation/held-credential.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { getVerification } from "./get-verification.ts";
import { maxSends, type SendWait, sendBuckets, sendRefusal, statementPerBuckets } from "./limits.ts";
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

export interface ResendInput {
  readonly verificationId: string;
  /** Undefined: that of the start. */
  readonly channel: ChannelName | undefined;
  /** Undefined: the one that the code was sent to in the form of the channel. */
  readonly recipient: string | undefined;
  readonly originLimits: OriginLimits;
}

const readPending = {
  name: "read_pending_verification",
  text: `
    SELECT
      channel, recipient_sealed, second_recipient_sealed, end_user_sealed, brand, locale, autofill_domain, code_length, secret_id
    FROM verification
    WHERE workspace_id = $1 AND mode = $2 AND id = $3 AND status = 'pending' AND expires_at > byond_now()`,
};

type PendingRow = {
  readonly channel: ChannelName;
  readonly recipient_sealed: Buffer;
  readonly second_recipient_sealed: Buffer | null;
  readonly end_user_sealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofill_domain: string | null;
  readonly code_length: number;
  readonly secret_id: string;
};

/**
 * Queues one more message, if the verification is still pending and was sent fewer than five times, the recipient is the one
 * that it has of this form ($4: the second one) or its first of this form, and every limit has a token.
 */
const resendStatement = statementPerBuckets(
  "resend_code",
  "EXISTS (SELECT FROM target WHERE has_sends_left AND is_recipient)",
  (limits) => `
    WITH ${limitLockWait}, target AS (
      SELECT
        expires_at, sends < ${maxSends} AS has_sends_left,
        CASE WHEN $4::boolean THEN second_recipient_index IS NULL OR second_recipient_index = ANY ($5::text[])
          ELSE recipient_index = ANY ($5::text[]) END AS is_recipient
      FROM verification, begun
      WHERE workspace_id = $1 AND mode = $2 AND id = $3 AND status = 'pending' AND expires_at > byond_now()
      FOR UPDATE OF verification
    ), ${limits.ctes}, message AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, expires_at
      FROM target WHERE has_sends_left AND is_recipient AND ${limits.allTaken}
    ), counted AS (
      UPDATE verification SET
        sends = sends + 1,
        second_recipient_sealed = coalesce(second_recipient_sealed, $11),
        second_recipient_index = coalesce(second_recipient_index, $12),
        limit_indexes = CASE
          WHEN second_recipient_index IS NULL AND $12 IS NOT NULL
          THEN coalesce(limit_indexes, ARRAY[recipient_index]) || $13::text[]
          ELSE limit_indexes
        END
      FROM message
      WHERE workspace_id = $1 AND id = $3
      RETURNING id
    ), queued AS (${outboxInsert({
      from: "message",
      workspaceId: "$1",
      id: "$6",
      kind: `'${codeMessageKind}'`,
      lane: "$7",
      subjectId: "$3",
      payloadSealed: "$8",
      claimedBy: "$9",
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
      ${requireCredential("$10", { after: ["target", "counted"], effect: "queued" })}`,
);

const lookUpQueued = {
  name: "look_up_queued_message",
  text: `
    SELECT true AS has_sends_left, true AS is_recipient, created_at, expires_at
    FROM outbox WHERE workspace_id = $1 AND id = $2`,
};

type ResendRow = SendWait & {
  /** Null if the verification is not pending any more. */
  readonly has_sends_left: boolean | null;
  readonly is_recipient: boolean | null;
  readonly created_at: Date | null;
  readonly expires_at: Date | null;
};

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
  const [pending] = await deps.database.query<PendingRow>(readPending, [workspaceId, mode, input.verificationId]);
  if (pending !== undefined && deps.keyring.find(pending.secret_id) !== undefined) {
    await queueMessage(deps, caller, input, pending);
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
    codeLength: pending.code_length,
    mode,
    secretId: pending.secret_id,
    ...(pending.locale === null ? {} : { locale: pending.locale }),
    ...(pending.autofill_domain === null ? {} : { autofillDomain: pending.autofill_domain }),
  });
  const context = recipientContext(workspaceId, verificationId);
  const endUserKey =
    pending.end_user_sealed === null ? undefined : unseal(keyring, "end-user-seal", context, pending.end_user_sealed);
  const origin = input.originLimits(endUserKey);
  const indexes = limitIndexes(keyring, recipient);
  const secondContext = secondRecipientContext(workspaceId, verificationId);
  const isShared = !isVerified && codes.hasProvider(channel, mode);
  const asked = sendBuckets(14, { origin, mode, limitIndexes: indexes, isShared });
  const claimedAtMs = codes.monotonicMs();
  const values = [
    workspaceId,
    mode,
    verificationId,
    isSecond,
    exactIndexes(keyring, recipient),
    message.id,
    lane,
    message.payloadSealed,
    codes.serverId,
    credential,
    isSecond ? seal(keyring, "recipient-seal", secondContext, recipient.address) : null,
    isSecond ? exactIndex(keyring.current, recipient) : null,
    indexes,
    ...asked.values,
  ];
  const lookUp = { statement: lookUpQueued, values: [workspaceId, message.id] };
  const [row] = await database.query<ResendRow>(resendStatement(asked.buckets), values, lookUp);
  if (row === undefined || row.has_sends_left === null) {
    return;
  }
  if (!row.has_sends_left) {
    throw new AppError(
      "send_limit_reached",
      "This code was sent five times, which is the most. Start a new verification.",
    );
  }
  if (row.is_recipient !== true) {
    throw invalidFields({
      recipient: "must be the one that this code was sent to; start a verification for another one",
    });
  }
  if (row.created_at === null || row.expires_at === null) {
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
    createdAt: row.created_at,
    expiresAt: row.expires_at,
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
  const sealed = isSecond ? pending.second_recipient_sealed : pending.recipient_sealed;
  const context = (isSecond ? secondRecipientContext : recipientContext)(workspaceId, verificationId);
  return sealed === null ? undefined : unseal(keyring, "recipient-seal", context, sealed);
}
