import type { Mode } from "../../../access/caller.ts";
import { type Keyring, unseal } from "../../../crypto/keyring.ts";
import { withDeadline } from "../../../database/call-deadline.ts";
import type { Queryable } from "../../../database/database.ts";
import { statement, text } from "../../../database/statement.ts";
import { AppError, type ErrorCode, isUndeliverable } from "../../../errors.ts";
import type { OutboxItem, OutboxSender } from "../../../outbox/outbox.ts";
import type { SendResult, Settled } from "../../../outbox/send-result.ts";
import type { ChannelName } from "../../channels/outgoing-message.ts";
import { unsealApproval } from "../approval.ts";
import { type CodeDispatcher, codeMessageWithFallbackKind, codePayload, sealCodeMessage } from "../code-sender.ts";
import type { OriginLimit } from "../define-send-step.ts";
import { type EndUser, type StoredEndUser, storedEndUser } from "../end-user.ts";
import { isOpen } from "../pending-verifications.ts";
import {
  exactIndexes,
  formOf,
  limitIndexes,
  parseRecipient,
  recipientContext,
  secondRecipientContext,
} from "../recipient.ts";
import type { SendCharges } from "../send-charges.ts";
import type { SendGuard } from "../send-guard.ts";
import { sendCode } from "../send-steps.ts";
import { minUsefulSeconds } from "../verify.policy.ts";
import { endStep, lookUpFollowing } from "./end-fallback-step.ts";
import {
  type Refusal,
  refusals,
  type StepRow,
  type StoredFallback,
  type StoredStep,
  stepId,
  stepNumber,
} from "./fallback-step.ts";
import { lookUpTaken, type TakenStep, type takeStepStatement } from "./take-fallback-step.ts";

const readVerification = statement<PendingRow>("read_verification_of_fallback_step")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT
      mode, channel, recipient_sealed, second_recipient_sealed, end_user_sealed, device_indexes, brand, locale, autofill_domain,
      code_in_subject, code_length, secret_id, approval_sealed, fallback,
      extract(epoch FROM expires_at - byond_now())::float8 AS remaining_seconds
    FROM verification
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND status = 'pending' AND expires_at > byond_now()
      AND ${isOpen(p.workspaceId)}`,
);

interface PendingRow extends StoredEndUser {
  readonly mode: Mode;
  readonly channel: ChannelName;
  readonly recipientSealed: Buffer | null;
  readonly secondRecipientSealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  readonly codeInSubject: boolean;
  readonly codeLength: number;
  readonly secretId: string;
  readonly approvalSealed: Buffer | null;
  readonly fallback: StoredFallback | null;
  /** Until it expires. */
  readonly remainingSeconds: number;
}

/** Errors of the database: the step is tried again, and finds out what happened. */
const databaseErrors: readonly ErrorCode[] = ["unavailable", "outcome_unknown"];

const serverErrors: readonly ErrorCode[] = [...databaseErrors, "internal"];

interface Dependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly codes: CodeDispatcher;
  readonly guard: SendGuard | undefined;
  readonly charges: SendCharges | undefined;
  readonly takeStep: ReturnType<typeof takeStepStatement>;
  /** The limits by origin, given the end user whom the start named. */
  readonly originLimitsOf: (endUser: EndUser) => readonly OriginLimit[];
}

/**
 * Takes the steps of fallbacks that are due. Each is taken or ended by one statement, under the lock of its verification, which also finishes the
 * step's own row: whoever comes second finds nothing to do. If nothing can be sent over its channel, the following step comes at once.
 */
export class FallbackSender implements OutboxSender {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async send(item: OutboxItem, signal: AbortSignal): Promise<SendResult | Settled> {
    try {
      // It may have to wait for what other calls hold, of the balance or of a limit.
      return await withDeadline(() => this.#take(item), signal);
    } catch (error) {
      if (error instanceof AppError && databaseErrors.includes(error.code)) {
        return { kind: "retry", reason: "the database is unavailable", provider: "unknown" };
      }
      throw error;
    }
  }

  async #take(item: OutboxItem): Promise<SendResult | Settled> {
    const { database, codes } = this.#deps;
    const { workspaceId, subjectId: id } = item;
    const [pending] = await database.run(readVerification, { workspaceId, id });
    const steps = pending?.fallback?.steps ?? [];
    const number = stepNumber(item.id);
    const step = steps[number - 1];
    if (pending === undefined || step === undefined) {
      return this.#end(item, { status: "expired", reason: "ended" });
    }
    const send = this.#sendOf(item, pending, step, followingRows(steps, number));
    if (send === undefined) {
      return this.#end(item, { status: "expired", reason: "ended" });
    }
    const refuse = (reason: Refusal) =>
      this.#end(item, { status: "failed", reason, followingId: number < steps.length ? stepId(id, number + 1) : null });
    if (send.message === undefined) {
      return refuse("channel_unavailable");
    }
    const lookUp = lookUpTaken.bind({ workspaceId, messageId: step.deliveryId, serverId: codes.serverId });
    try {
      const sent = await sendCode(this.#deps, this.#deps.takeStep, send, lookUp);
      return sent === undefined ? this.#end(item, { status: "expired", reason: null }) : { kind: "settled" };
    } catch (error) {
      if (!(error instanceof AppError) || serverErrors.includes(error.code)) {
        throw error;
      }
      const waitSeconds = error.code === "rate_limited" ? (error.details.retryAfterSeconds ?? 1) : undefined;
      if (waitSeconds !== undefined && waitSeconds + minUsefulSeconds < pending.remainingSeconds) {
        return { kind: "retry", reason: "a limit of sends", provider: "unknown", afterMs: waitSeconds * 1_000 };
      }
      return refuse(isUndeliverable(error) ? "undeliverable" : refusalOf(error.code));
    }
  }

  /** The send of a step. Undefined: a recipient or a master secret is gone, without which the code is of no use. */
  #sendOf(
    { workspaceId, subjectId: verificationId, id }: OutboxItem,
    pending: PendingRow,
    { channel, deliveryId }: StoredStep,
    following: readonly StepRow[],
  ): TakenStep | undefined {
    const { keyring, codes, originLimitsOf } = this.#deps;
    const { mode } = pending;
    const isSecond = formOf(channel) !== formOf(pending.channel);
    const context = recipientContext(workspaceId, verificationId);
    const recipientContextOf = isSecond ? secondRecipientContext(workspaceId, verificationId) : context;
    const sealed = isSecond ? pending.secondRecipientSealed : pending.recipientSealed;
    const address = sealed === null ? undefined : unseal(keyring, "recipient-seal", recipientContextOf, sealed);
    const recipient = address === undefined ? undefined : parseRecipient(channel, address);
    if (recipient === undefined || "problem" in recipient || keyring.find(pending.secretId) === undefined) {
      return undefined;
    }
    const lane = codes.laneFor(channel, mode);
    const endUser = storedEndUser(keyring, { workspaceId, id: verificationId }, pending);
    const approval = unsealApproval(keyring, workspaceId, verificationId, pending.approvalSealed);
    const payload = codePayload({ ...pending, approval }, { channel, recipient, mode, keyId: pending.fallback?.keyId });
    return {
      workspaceId,
      verificationId,
      mode,
      channel,
      recipient,
      endUser,
      originLimits: originLimitsOf(endUser),
      exactIndexes: exactIndexes(keyring, recipient),
      limitIndexes: limitIndexes(keyring, recipient),
      sharesRecipientLimit: pending.fallback?.isUnverified === true && codes.hasProvider(channel, mode),
      message:
        lane === undefined
          ? undefined
          : {
              ...sealCodeMessage(keyring, workspaceId, payload, deliveryId),
              kind: codeMessageWithFallbackKind,
              lane,
              claimedBy: codes.serverId,
            },
      credential: null,
      keyId: pending.fallback?.keyId,
      steps: following,
      stepId: id,
      recipientForm: isSecond ? "second" : "first",
    };
  }

  async #end(item: OutboxItem, { status, reason, followingId = null }: Ending): Promise<SendResult | Settled> {
    const { database, codes } = this.#deps;
    const { workspaceId, subjectId: verificationId, id } = item;
    const target = { workspaceId, stepId: id, followingId, serverId: codes.serverId };
    const claimedAtMs = codes.monotonicMs();
    const [row] = await database.run(
      endStep,
      { ...target, verificationId, status, reason },
      lookUpFollowing.bind(target),
    );
    if (row !== undefined && row.createdAt !== null && row.expiresAt !== null && followingId !== null) {
      const { createdAt, expiresAt } = row;
      codes.dispatch({ ...item, id: followingId, attempts: 0, claim: 1, createdAt, expiresAt, claimedAtMs });
    }
    return { kind: "settled" };
  }
}

interface Ending {
  readonly status: "failed" | "expired";
  readonly reason: Refusal | "ended" | null;
  /** The step that comes at once. */
  readonly followingId?: string | null;
}

/** The row of the step that waits once step `number` is taken. */
function followingRows(steps: readonly StoredStep[], number: number): StepRow[] {
  const following = steps[number];
  return following === undefined
    ? []
    : [{ number: number + 1, status: "pending", afterSeconds: following.afterSeconds }];
}

function refusalOf(code: ErrorCode): Refusal {
  return refusals.find((refusal) => refusal === code) ?? "not_allowed";
}
