import { limitLockWait } from "../database/database.ts";
import { hasToken, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { outboxInsert } from "../delivery/outbox.ts";
import type { ChannelName } from "../delivery/outgoing-message.ts";
import { AppError, invalidFields } from "../errors.ts";
import { requireCredential } from "../revocation/held-credential.ts";
import { type Keyring, unseal } from "../secrets.ts";
import { codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { getVerification } from "./get-verification.ts";
import { guessKey, guessLimit, resendKey, resendLimit } from "./limits.ts";
import { parseRecipient, type Recipient, recipientContext, recipientIndex } from "./recipient.ts";
import type { StartDependencies, VerificationOwner } from "./start-verification.ts";
import type { VerificationView } from "./verification-view.ts";

export interface ResendInput {
  readonly verificationId: string;
  /** Undefined: that of the start. */
  readonly channel: ChannelName | undefined;
  /** Undefined: that of the start. */
  readonly recipient: string | undefined;
}

const readPending = {
  name: "read_pending_verification",
  text: `
    SELECT channel, recipient_sealed, brand, locale, autofill_domain, code_length, secret_id
    FROM verification
    WHERE workspace_id = $1 AND mode = $2 AND id = $3 AND status = 'pending' AND expires_at > byond_now()`,
};

type PendingRow = {
  readonly channel: ChannelName;
  readonly recipient_sealed: Buffer;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofill_domain: string | null;
  readonly code_length: number;
  readonly secret_id: string;
};

const resendBucket = resendKey("$2::text", "$4::text");
const guessBucket = guessKey("$2::text", "$4::text");
const tatOf = (key: string) => `(SELECT tat FROM throttle WHERE workspace_id = $1 AND key = ${key})`;

/** Queues one more message, if the verification is still pending and the recipient has a token. */
const resend = {
  name: "resend_code",
  text: `
    WITH ${limitLockWait}, wait AS (
      SELECT max(seconds) AS seconds FROM (VALUES
        (CASE WHEN NOT ${hasToken(tatOf(resendBucket), resendLimit)}
          THEN ${secondsUntilToken(tatOf(resendBucket), resendLimit)} END),
        (CASE WHEN NOT ${hasToken(tatOf(guessBucket), guessLimit)}
          THEN ${secondsUntilToken(tatOf(guessBucket), guessLimit)} END)
      ) AS bucket (seconds)
    ), target AS (
      SELECT expires_at FROM verification, begun
      WHERE workspace_id = $1 AND mode = $2 AND id = $3 AND status = 'pending' AND expires_at > byond_now()
      FOR UPDATE OF verification
    ), token AS (
      ${takeToken({
        workspaceId: "$1",
        key: resendBucket,
        limit: resendLimit,
        from: "FROM target, wait WHERE wait.seconds IS NULL",
      })}
    ), message AS (
      SELECT date_trunc('milliseconds', byond_now()) AS created_at, expires_at FROM target, token
    ), queued AS (${outboxInsert({
      from: "message",
      workspaceId: "$1",
      id: "$5",
      kind: `'${codeMessageKind}'`,
      lane: "$6",
      subjectId: "$3",
      payloadSealed: "$7",
      claimedBy: "$8",
      createdAt: "created_at",
      expiresAt: "expires_at",
    })})
    SELECT
      EXISTS (SELECT FROM target) AS is_pending,
      (SELECT created_at FROM message) AS created_at,
      (SELECT expires_at FROM message) AS expires_at,
      (SELECT seconds FROM wait) AS wait_seconds,
      ${requireCredential("$9", { after: ["target", "token"], effect: "queued" })}`,
};

const lookUpQueued = {
  name: "look_up_queued_message",
  text: "SELECT true AS is_pending, created_at, expires_at FROM outbox WHERE workspace_id = $1 AND id = $2",
};

type ResendRow = {
  readonly is_pending: boolean;
  readonly created_at: Date | null;
  readonly expires_at: Date | null;
  readonly wait_seconds: number | null;
};

/**
 * Sends the code of a pending verification once more; it stays the same, and so do its expiry and its attempts. One that is
 * not pending is left alone. Answers what the verification is now.
 *
 * Throws `invalid_api_key` if the credential does not hold any more, `not_found`, `validation_error` for a recipient that the channel does not take and for a channel without a
 * provider, and `rate_limited`.
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
  { workspaceId, mode, credential }: VerificationOwner,
  input: ResendInput,
  pending: PendingRow,
): Promise<void> {
  const channel = input.channel ?? pending.channel;
  const recipient = recipientOf(keyring, workspaceId, channel, input, pending);
  const lane = codes.laneFor(channel, mode);
  if (lane === undefined) {
    throw invalidFields({ channel: "is not served here yet" });
  }
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
  const claimedAtMs = codes.monotonicMs();
  const index = recipientIndex(keyring.current, recipient.canonical);
  const values = [workspaceId, mode, input.verificationId, index, message.id, lane, message.payloadSealed];
  const lookUp = { statement: lookUpQueued, values: [workspaceId, message.id] };
  const [row] = await database.query<ResendRow>(resend, [...values, codes.serverId, credential], lookUp);
  if (row?.is_pending === true && (row.created_at === null || row.expires_at === null)) {
    throw new AppError("rate_limited", "Too many codes for this recipient. Try again later.", {
      retryAfterSeconds: row.wait_seconds ?? 60,
    });
  }
  if (row === undefined || row.created_at === null || row.expires_at === null) {
    return;
  }
  codes.dispatch({
    workspaceId,
    ...message,
    kind: codeMessageKind,
    lane,
    subjectId: input.verificationId,
    attempts: 0,
    claim: 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    claimedAtMs,
  });
}

/** Whom to send to: whom the call names, or whom the start named, if the channel takes that form. */
function recipientOf(
  keyring: Keyring,
  workspaceId: string,
  channel: ChannelName,
  input: ResendInput,
  pending: PendingRow,
): Recipient {
  const context = recipientContext(workspaceId, input.verificationId);
  const text = input.recipient ?? unseal(keyring, "recipient-seal", context, pending.recipient_sealed);
  const recipient = parseRecipient(channel, text ?? "");
  if ("problem" in recipient) {
    throw invalidFields({
      recipient: input.recipient === undefined ? "is required for this channel" : recipient.problem,
    });
  }
  return recipient;
}
