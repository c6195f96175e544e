import type { KeyCaller, Mode } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { invalidFields, problemOf } from "../../errors.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import { numberRange } from "../../text/number-range.ts";
import type { Approval, ChannelName } from "../channels/outgoing-message.ts";
import { approvalIndexes, type GivenApproval, startApprovalProblems, storedApproval } from "./approval.ts";
import { brandOf, brandOfAccount } from "./brand.ts";
import {
  type CodeDispatcher,
  codeMessageKind,
  codeMessageWithFallbackKind,
  codePayload,
  sealCodeMessage,
} from "./code-sender.ts";
import type { OriginLimit, Send } from "./define-send-step.ts";
import type { EndUser } from "./end-user.ts";
import {
  type Refusal,
  refusalOfWay,
  type StoredFallback,
  type StoredStep,
  stepRows,
  storedStep,
} from "./fallback/fallback-step.ts";
import type { HeldFixedCode } from "./fixed-codes/find-fixed-code.ts";
import {
  lookUpStarted,
  type Start,
  secondOf,
  type startFixedStatement,
  type startStatement,
  unsentOf,
} from "./insert-verification.ts";
import { type FallbackInput, planSends, type SendTarget } from "./plan-sends.ts";
import { exactIndex, exactIndexes, limitIndexes, type Recipient, recipientContext } from "./recipient.ts";
import { expiresAtOnce } from "./sandbox-outcomes.ts";
import type { SendCharges } from "./send-charges.ts";
import type { SendGuard } from "./send-guard.ts";
import { sendCode } from "./send-steps.ts";

/** The workspace that a verification belongs to, and the credential that must still hold when the call changes something. */
export interface VerificationOwner extends Pick<KeyCaller, "workspaceId" | "workspaceName" | "mode" | "isVerified"> {
  readonly credential: HeldCredential;
  /** The key that the verification and its sends are counted to. Undefined: there is none. */
  readonly keyId?: string;
}

/** Who changes a verification that exists: a key, or somebody who is signed in. */
export type VerificationHolder = Omit<VerificationOwner, "workspaceName">;

export interface StartInput {
  /** Undefined: the start creates one. */
  readonly id?: string;
  /** Names the sender of the outbox. Undefined: `codeMessageKind`. */
  readonly messageKind?: string;
  readonly channel: ChannelName;
  readonly recipient: string;
  /** Undefined: the workspace's name. */
  readonly brand: string | undefined;
  readonly codeLength: number;
  readonly ttlSeconds: number;
  /** BCP 47. Undefined: English. */
  readonly locale: string | undefined;
  readonly autofillDomain: string | undefined;
  /** Default: false. */
  readonly codeInSubject?: boolean | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endUser: EndUser;
  readonly originLimits: readonly OriginLimit[];
  /** The other ways of the code. Default: none. */
  readonly fallback?: readonly FallbackInput[];
  /** The payment that the code approves. Default: none. */
  readonly approval?: Approval | undefined;
  /** Do nothing if there is a pending verification of this channel, recipient, metadata and payment that can be used instead. Default: false. */
  readonly unlessPending?: boolean;
  /** The fixed code of the recipient: nothing is sent. Default: it has none. */
  readonly fixedCode?: HeldFixedCode | undefined;
}

export interface StartedVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  /** In whole seconds, as the response shows it: checks expire at exactly this time. */
  readonly expiresAt: Date;
}

export interface StartDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly codes: CodeDispatcher;
  readonly guard: SendGuard | undefined;
  readonly charges: SendCharges | undefined;
  readonly start: ReturnType<typeof startStatement>;
  readonly startFixed: ReturnType<typeof startFixedStatement>;
}

/** The problems of a brand, of a payment, of a recipient and of those of the fallback, by field. */
export function startProblems(
  input: Pick<StartInput, "channel" | "recipient" | "brand" | "fallback" | "codeInSubject"> & GivenApproval,
): Record<string, string> {
  return {
    ...planSends(input).problems,
    ...problemOf("brand", input.brand && senderNameProblem(input.brand)),
    ...startApprovalProblems(input, input),
  };
}

/**
 * Starts a verification with one statement. The dispatcher sends the code after the commit. Expects that `startProblems` found
 * no problem in the input. Throws `rate_limited` if a limit has no token or the recipient had too many wrong codes,
 * `undeliverable` if nothing can be delivered to the recipient, `recipient_blocked` if the guard refuses the recipient, and `invalid_api_key` if the
 * credential no longer holds.
 *
 * With a fallback, the code takes the first way that can be used. A way without a provider is known before; a recipient who
 * cannot be reached, or is blocked, is known to the statement, which then runs for the next way.
 */
export async function startVerification(
  deps: StartDependencies,
  caller: VerificationOwner,
  input: Omit<StartInput, "unlessPending">,
): Promise<StartedVerification> {
  const started = await startUnlessPending(deps, caller, input);
  if (started === undefined) {
    throw new TypeError("a start was neither refused nor carried out");
  }
  return started;
}

/** The same. Returns undefined if there is a verification to use instead, and the input asks for that. */
export async function startUnlessPending(
  deps: StartDependencies,
  caller: VerificationOwner,
  input: StartInput,
): Promise<StartedVerification | undefined> {
  const { targets, second, problems } = planSends(input);
  const [own] = targets;
  if (own === undefined || Object.keys(problems).length > 0) {
    throw invalidFields(problems);
  }
  const { fixedCode, ...withoutFixedCode } = input;
  const starting = { ...withoutFixedCode, recipient: own.recipient, id: input.id ?? createId("vrf") };
  if (fixedCode !== undefined) {
    const way = { target: own, lane: undefined, way: 0, second: undefined, steps: [], refused: [] };
    const started = await startOver(deps, caller, { ...starting, fixedCode }, way);
    if (started !== undefined) {
      return started;
    }
  }
  const steps = targets.slice(1).map(storedStep);
  const refused: Refusal[] = [];
  for (const [way, target] of targets.entries()) {
    const lane = deps.codes.laneFor(target.channel, caller.mode);
    if (lane === undefined) {
      refused.push("channel_unavailable");
      continue;
    }
    const laterToPhone = firstToPhone(deps, caller.mode, targets.slice(way + 1));
    try {
      return await startOver(deps, caller, starting, { target, lane, way, second, steps, refused, laterToPhone });
    } catch (error) {
      const isLast = !targets
        .slice(way + 1)
        .some(({ channel }) => deps.codes.laneFor(channel, caller.mode) !== undefined);
      const refusal = refusalOfWay(error);
      // A mail is only blocked because of the number that a later way goes to.
      const isOfLater = refusal === "not_allowed" && target.recipient.number === undefined;
      if (refusal === undefined || isLast || isOfLater) {
        throw error;
      }
      refused.push(refusal);
    }
  }
  return startOver(deps, caller, starting, {
    target: own,
    lane: undefined,
    way: targets.length,
    second,
    steps,
    refused,
  });
}

/** A way that the code of a start takes. */
interface StartWay {
  readonly target: SendTarget;
  /** Undefined: no way has a provider, so that nothing is sent. */
  readonly lane: string | undefined;
  /** Its index among the targets: 0 is the start's own, and `n` the fallback's step `n`. */
  readonly way: number;
  readonly second: Recipient | undefined;
  readonly steps: readonly StoredStep[];
  /** Of each way before it. */
  readonly refused: readonly Refusal[];
  /** The first way after it that has a provider and goes to a phone. Default: none. */
  readonly laterToPhone?: Send["laterToPhone"];
}

function firstToPhone(
  { codes, keyring }: Pick<StartDependencies, "codes" | "keyring">,
  mode: Mode,
  targets: readonly SendTarget[],
): Send["laterToPhone"] {
  const target = targets.find(
    ({ channel, recipient }) => recipient.number !== undefined && codes.laneFor(channel, mode) !== undefined,
  );
  return target && { ...target, exactIndexes: exactIndexes(keyring, target.recipient) };
}

async function startOver(
  deps: StartDependencies,
  caller: VerificationOwner,
  input: Omit<StartInput, "recipient" | "id"> & { readonly recipient: Recipient; readonly id: string },
  { target, lane, way, second, steps, refused, laterToPhone }: StartWay,
): Promise<StartedVerification | undefined> {
  const { keyring, codes } = deps;
  const { workspaceId, mode } = caller;
  const { id, recipient, fixedCode, approval } = input;
  const hasFallback = steps.length > 0;
  const [locale, autofillDomain] = [input.locale ?? null, input.autofillDomain ?? null];
  const codeInSubject = input.codeInSubject ?? false;
  const brand = input.brand === undefined ? brandOfAccount(caller.workspaceName) : brandOf(input.brand);
  const message =
    lane === undefined
      ? undefined
      : {
          ...sealCodeMessage(
            keyring,
            workspaceId,
            codePayload(
              {
                brand,
                codeLength: input.codeLength,
                secretId: keyring.current.id,
                locale,
                autofillDomain,
                codeInSubject,
                approval: approval ?? null,
              },
              { channel: target.channel, recipient: target.recipient, mode, keyId: caller.keyId },
            ),
            steps[way - 1]?.deliveryId,
          ),
          kind: hasFallback ? codeMessageWithFallbackKind : (input.messageKind ?? codeMessageKind),
          lane,
          claimedBy: codes.serverId,
        };
  const status = message === undefined && fixedCode === undefined ? "channel_unavailable" : "pending";
  const context = recipientContext(workspaceId, id);
  const start: Start = {
    workspaceId,
    verificationId: id,
    mode,
    channel: target.channel,
    ownChannel: input.channel,
    recipient: target.recipient,
    recipientField: target.recipientField,
    laterToPhone,
    exactIndexes: exactIndexes(keyring, target.recipient),
    endUser: input.endUser,
    originLimits: input.originLimits,
    limitIndexes: limitIndexes(keyring, target.recipient),
    sharesRecipientLimit: !caller.isVerified && codes.hasProvider(target.channel, mode),
    message,
    credential: caller.credential,
    keyId: caller.keyId,
    status,
    recipientSealed: seal(keyring, "recipient-seal", context, recipient.address),
    recipientIndex: exactIndex(keyring.current, recipient),
    endUserSealed:
      input.endUser.addressKey === undefined ? null : seal(keyring, "end-user-seal", context, input.endUser.addressKey),
    brand,
    locale,
    autofillDomain,
    codeInSubject,
    metadata: JSON.stringify(input.metadata),
    codeLength: fixedCode?.codeLength ?? input.codeLength,
    ttlSeconds: expiresAtOnce({ mode, recipient: target.recipient }, target.channel) ? -1 : input.ttlSeconds,
    secretId: fixedCode?.secretId ?? keyring.current.id,
    numberRange: message !== undefined && mode === "live" ? rangeOf(target.recipient) : null,
    country: countryOf(recipient),
    ...(fixedCode === undefined ? {} : { fixedCodeId: fixedCode.id }),
    approval: storedApproval(keyring, workspaceId, id, approval),
    ...(input.unlessPending === true
      ? {
          unlessPending: {
            indexes: exactIndexes(keyring, recipient),
            knownSecrets: keyring.all.map(({ id }) => id),
            approvalIndexes: approvalIndexes(keyring, approval),
          },
        }
      : {}),
    ...(hasFallback
      ? {
          steps: stepRows(steps, way, refused),
          fallback: {
            stored: JSON.stringify(storedFallback(caller, steps)),
            ...secondOf(keyring, workspaceId, id, second),
            unsentRecipient: unsentOf(input.channel, target, second),
          },
        }
      : {}),
  };
  const statement = fixedCode === undefined ? deps.start : deps.startFixed;
  const sent = await sendCode(deps, statement, start, lookUpStarted.bind({ workspaceId, id }));
  return sent && { id, status, expiresAt: sent.expiresAt };
}

function storedFallback({ isVerified, keyId }: VerificationOwner, steps: readonly StoredStep[]): StoredFallback {
  return { steps, ...(isVerified ? {} : { isUnverified: true }), ...(keyId === undefined ? {} : { keyId }) };
}

/** The range of a number, whose traffic is judged. Null: it is a mail address. */
function rangeOf({ number }: Recipient): string | null {
  return number === undefined ? null : numberRange(number.number);
}

const countryOf = ({ number }: Recipient) => number?.country ?? null;
