import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import { defineStep } from "../../database/shared-statement.ts";
import { array, bigint, boolean, bytea, nullable, optional, statement, text } from "../../database/statement.ts";
import { AppError, invalidFields } from "../../errors.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { approvalChannelProblem, unsealApproval } from "./approval.ts";
import { codeMessageKind, codeMessageWithFallbackKind, codePayload, sealCodeMessage } from "./code-sender.ts";
import {
  addPrice,
  chargedPart,
  judgedRange,
  noteNumber,
  type OriginLimit,
  type Send,
  type sendParameters,
} from "./define-send-step.ts";
import { type EndUser, mergeEndUsers, type StoredEndUser, storedEndUser, unknownEndUser } from "./end-user.ts";
import type { StoredFallback } from "./fallback/fallback-step.ts";
import { getVerification } from "./get-verification.ts";
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
import {
  type AddedSendSteps,
  type SendingRow,
  type Sent,
  sendCode,
  sendingColumns,
  sendStatement,
} from "./send-steps.ts";
import type { StartDependencies, VerificationHolder } from "./start-verification.ts";
import type { VerificationView } from "./verification-view.ts";
import { maxSends } from "./verify.policy.ts";

export interface ResendInput {
  readonly verificationId: string;
  /** Undefined: the channel of the start. */
  readonly channel: ChannelName | undefined;
  /** Undefined: the recipient that the verification has for this channel. */
  readonly recipient: string | undefined;
  /** Whether the channel must be the start's, or one of its fallback. */
  readonly onlyListedChannels?: boolean;
  /** The end user whom the call names. What it does not say of them, the start said. Default: it names none. */
  readonly endUser?: EndUser;
  /** The limits by origin, given the end user. */
  readonly originLimitsOf: (endUser: EndUser) => readonly OriginLimit[];
}

export const readPending = statement<PendingRow>("read_pending_verification")(
  { workspaceId: text, mode: text, id: text },
  (p) => `
    SELECT
      channel, recipient_sealed, second_recipient_sealed, end_user_sealed, device_indexes, brand, locale, autofill_domain,
      code_in_subject, code_length, secret_id, approval_sealed, fallback, key_id
    FROM verification
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
      AND status = 'pending' AND expires_at > byond_now() AND fixed_code_id IS NULL`,
);

export interface PendingRow extends StoredEndUser {
  readonly channel: ChannelName;
  readonly recipientSealed: Buffer;
  readonly secondRecipientSealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  readonly codeInSubject: boolean;
  readonly codeLength: number;
  readonly secretId: string;
  readonly approvalSealed: Buffer | null;
  readonly fallback: StoredFallback | null;
  /** The key of the start. */
  readonly keyId: string | null;
}

/** A send of a verification that exists. */
interface Resend extends Send {
  /** Whether this is the second recipient: a phone number if the start's is a mail address, or the other way round. */
  readonly isSecond: boolean;
  readonly secondRecipientSealed: Buffer | null;
  readonly secondRecipientIndex: string | null;
}

type TargetRow = {
  /** Null: the verification is no longer pending. */
  readonly hasSendsLeft: boolean | null;
};

/**
 * Locks the verification if it is still pending. A run passes if the code was sent fewer than five times, and if the recipient
 * is the one that the verification has of this form, or the first one of this form.
 */
const target = defineStep<Resend, typeof sendParameters>()({
  name: "target",
  parameters: { isSecond: boolean, exactIndexes: array(text) },
  values: (resend) => resend,
  sql: (p, { reached }) => ({
    ctes: `target AS (
      SELECT
        expires_at, sends < ${maxSends} AS has_sends_left,
        CASE WHEN ${p.isSecond} THEN second_recipient_index IS NULL OR second_recipient_index = ANY (${p.exactIndexes})
          ELSE recipient_index = ANY (${p.exactIndexes}) END AS is_recipient
      FROM verification
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
        AND status = 'pending' AND expires_at > byond_now() AND ${reached}
      FOR UPDATE OF verification
    )`,
    passed: "EXISTS (SELECT FROM target WHERE has_sends_left AND is_recipient)",
    changes: ["target"],
    columns: { has_sends_left: "(SELECT has_sends_left FROM target)" },
  }),
  refusal({ hasSendsLeft }: TargetRow) {
    switch (hasSendsLeft) {
      case null:
        return undefined;
      case false:
        return new AppError(
          "send_limit_reached",
          "This code was sent five times, which is the maximum. Start a new verification.",
        );
      case true:
        return invalidFields({
          recipient: "must be the one that this code was sent to; start a verification for another one",
        });
    }
  },
});

const countSend = defineStep<Resend, typeof sendParameters>()({
  name: "verification",
  parameters: {
    limitIndexes: array(text),
    secondRecipientSealed: nullable(bytea),
    secondRecipientIndex: nullable(text),
    recipientForm: text,
    numberRange: nullable(text),
    price: optional(bigint),
  },
  parts: chargedPart,
  values: (resend) => ({
    ...resend,
    recipientForm: resend.isSecond ? "second" : "first",
    numberRange: judgedRange(resend),
    price: resend.charge?.amount,
  }),
  sql: (p, { reached, parts }) => ({
    ctes: `sending AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, expires_at FROM target WHERE ${reached}
    ), counted AS (
      UPDATE verification SET
        sends = sends + 1,${addPrice(parts, p)}${noteNumber(p.numberRange)},
        second_recipient_sealed = coalesce(second_recipient_sealed, ${p.secondRecipientSealed}),
        second_recipient_index = coalesce(second_recipient_index, ${p.secondRecipientIndex}),
        unsent_recipient = nullif(unsent_recipient, ${p.recipientForm}),
        limit_indexes = CASE
          WHEN unsent_recipient = ${p.recipientForm}
            OR (second_recipient_index IS NULL AND ${p.secondRecipientIndex} IS NOT NULL)
          THEN limit_indexes || ${p.limitIndexes}
          ELSE limit_indexes
        END
      FROM sending
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}
      RETURNING id
    )`,
    changes: ["counted"],
    columns: sendingColumns,
  }),
});

/** The statement of a resend: takes a token of every limit, then counts the send and writes its message. */
export function resendStatement(added: AddedSendSteps) {
  return sendStatement<Resend, SendingRow>("resend_code", { target, verification: countSend }, added);
}

const lookUpQueued = statement<SendingRow>("look_up_queued_message")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT created_at, expires_at FROM outbox WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

export interface ResendDependencies extends StartDependencies {
  readonly resend: ReturnType<typeof resendStatement>;
}

export interface ResendResult {
  /** False: there was nothing to do. */
  readonly wasSent: boolean;
  /** As it is now. */
  readonly verification: VerificationView;
}

/**
 * Sends the code of a pending verification again: the same code, with the same expiry and the same attempts left. Does nothing
 * if the verification is not pending, or has a fixed code.
 *
 * A verification has at most one recipient of each form, mail address and phone number: the recipient of the start, and the
 * first one of the other form that a resend names.
 *
 * Throws `not_found`; `validation_error` for a channel without a provider or one that cannot show a payment, for a recipient that the channel does not take, and
 * for another recipient of a form that the verification already has; `send_limit_reached`; `rate_limited`, as a start does; and
 * `invalid_api_key` if the credential no longer holds.
 */
export async function resendCode(
  deps: ResendDependencies,
  caller: VerificationHolder,
  input: ResendInput,
): Promise<ResendResult> {
  const { workspaceId, mode } = caller;
  const ref = { workspaceId, mode, verificationId: input.verificationId };
  const [pending] = await deps.database.run(readPending, { workspaceId, mode, id: input.verificationId });
  if (pending !== undefined && deps.keyring.find(pending.secretId) !== undefined) {
    const wasSent = (await sendAgain(deps, caller, input, pending)) !== undefined;
    // If the code is sent, answer so even after the deadline.
    return { wasSent, verification: await withoutDeadline(() => getVerification(deps, ref)) };
  }
  return { wasSent: false, verification: await getVerification(deps, ref) };
}

/**
 * Sends the code of a pending verification again, at the expense of the key that started it: whoever resends, its cap is not passed. Returns undefined
 * if the verification is no longer pending. Throws as `resendCode` does.
 */
export async function sendAgain(
  deps: ResendDependencies,
  { workspaceId, mode, isVerified, credential, keyId: callerKeyId }: VerificationHolder,
  input: ResendInput,
  pending: PendingRow,
): Promise<Sent | undefined> {
  const { keyring, codes } = deps;
  const { verificationId } = input;
  const keyId = pending.keyId ?? callerKeyId;
  const channel = input.channel ?? pending.channel;
  if (input.onlyListedChannels) {
    requireListed(channel, pending);
  }
  const recipient = recipientOf(keyring, workspaceId, channel, input, pending);
  const lane = codes.laneFor(channel, mode);
  if (lane === undefined) {
    throw invalidFields({ channel: "is not served here yet" });
  }
  const approval = unsealApproval(keyring, workspaceId, verificationId, pending.approvalSealed);
  const channelProblem = approval === null ? undefined : approvalChannelProblem(channel);
  if (channelProblem !== undefined) {
    throw invalidFields({ channel: channelProblem });
  }
  const isSecond = isSecondForm(channel, pending);
  const message = {
    ...sealCodeMessage(
      keyring,
      workspaceId,
      codePayload({ ...pending, approval }, { channel, recipient, mode, keyId }),
    ),
    kind: pending.fallback !== null ? codeMessageWithFallbackKind : codeMessageKind,
    lane,
    claimedBy: codes.serverId,
  };
  const known = storedEndUser(keyring, { workspaceId, id: verificationId }, pending);
  const endUser = mergeEndUsers(input.endUser ?? unknownEndUser, known);
  const secondContext = secondRecipientContext(workspaceId, verificationId);
  const resend: Resend = {
    workspaceId,
    verificationId,
    mode,
    channel,
    recipient,
    endUser,
    originLimits: input.originLimitsOf(endUser),
    limitIndexes: limitIndexes(keyring, recipient),
    sharesRecipientLimit: !isVerified && codes.hasProvider(channel, mode),
    message,
    credential,
    keyId,
    isSecond,
    exactIndexes: exactIndexes(keyring, recipient),
    secondRecipientSealed: isSecond ? seal(keyring, "recipient-seal", secondContext, recipient.address) : null,
    secondRecipientIndex: isSecond ? exactIndex(keyring.current, recipient) : null,
  };
  return sendCode(deps, deps.resend, resend, lookUpQueued.bind({ workspaceId, id: message.id }));
}

function requireListed(channel: ChannelName, { channel: started, fallback }: PendingRow): void {
  const listed = [started, ...(fallback?.steps ?? []).map((step) => step.channel)];
  if (!listed.includes(channel)) {
    // Without the list: a page does not learn the fallback.
    throw invalidFields({ channel: "must be one that the start listed" });
  }
}

/** Whether the channel takes recipients of the other form than the start's channel. */
function isSecondForm(channel: ChannelName, pending: PendingRow): boolean {
  return formOf(channel) !== formOf(pending.channel);
}

/** The recipient that the call names, or the one that the verification has for this channel. */
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
