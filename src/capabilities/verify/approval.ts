import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import { type Keyring, type MasterSecret, seal, unseal } from "../../crypto/keyring.ts";
import { problemOf } from "../../errors.ts";
import { minorDigits } from "../../text/currencies.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { Amount, Approval, ChannelName } from "../channels/outgoing-message.ts";
import { brandOf } from "./brand.ts";
import type { FallbackInput } from "./plan-sends.ts";
import { recipientContext } from "./recipient.ts";

/** A payee and an amount, as a call has them. */
export interface GivenApproval {
  readonly payee?: string | undefined;
  readonly amount?: Amount | undefined;
}

/** The problems of a payee and of an amount, by field. */
export function approvalProblems({ payee, amount }: GivenApproval): Record<string, string> {
  return {
    ...problemOf("payee", payee === undefined ? undefined : senderNameProblem(payee)),
    ...(amount === undefined ? {} : amountProblems(amount)),
  };
}

/** What a start says of its messages. */
interface GivenMessages {
  readonly channel: ChannelName;
  readonly fallback?: readonly FallbackInput[];
  readonly codeInSubject?: boolean | undefined;
}

/** The same for a start: a code approves both or none, and is only read where they are, too. */
export function startApprovalProblems(
  { channel, fallback = [], codeInSubject }: GivenMessages,
  given: GivenApproval,
): Record<string, string> {
  const { payee, amount } = given;
  if (payee === undefined && amount === undefined) {
    return {};
  }
  return {
    ...(payee === undefined ? { payee: "is required with an amount" } : {}),
    ...(amount === undefined ? { amount: "is required with a payee" } : {}),
    ...approvalProblems(given),
    ...(codeInSubject === true ? { code_in_subject: "must not be true with a payee and an amount" } : {}),
    ...problemOf("channel", approvalChannelProblem(channel)),
    ...Object.fromEntries(
      fallback.flatMap((step, index) =>
        Object.entries(problemOf(`fallback[${index}].channel`, approvalChannelProblem(step.channel))),
      ),
    ),
  };
}

/** What is wrong with a channel for a code that approves a payment: WhatsApp's templates for codes are Meta's own texts. */
export function approvalChannelProblem(channel: ChannelName | undefined): string | undefined {
  return channel === "whatsapp" ? "must not be whatsapp, whose messages cannot show a payee and an amount" : undefined;
}

function amountProblems({ value, currency }: Amount): Record<string, string> {
  const digits = minorDigits(currency);
  if (digits === undefined) {
    return { "amount.currency": "must be a currency code of ISO 4217, such as EUR" };
  }
  const [, fraction = ""] = value.split(".");
  if (fraction.length > digits) {
    return {
      "amount.value":
        digits === 0 ? `must be without a point in ${currency}` : `must have at most ${digits} digits after the point`,
    };
  }
  return /[1-9]/.test(value) ? {} : { "amount.value": "must be more than 0" };
}

/**
 * What a call approves, in its canonical form: `10.5` and `10.50` are one amount. Undefined unless it has both a payee and an amount. Expects
 * that `approvalProblems` found no problem.
 */
export function approvalOf({ payee, amount }: GivenApproval): Approval | undefined {
  if (payee === undefined || amount === undefined) {
    return undefined;
  }
  const { value, currency } = amount;
  const [whole = "", fraction = ""] = value.split(".");
  const digits = minorDigits(currency) ?? 0;
  return {
    payee: brandOf(payee).normalize(),
    amount: { value: digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, "0")}`, currency },
  };
}

/** The text that the code is derived from and that is compared: no two approvals have the same. */
export function approvalText({ payee, amount }: Approval): string {
  return JSON.stringify([payee, amount.value, amount.currency]);
}

/** Identifies the approval in a row. Neither payee nor amount can be found from it without the master secret. */
export function approvalIndex(secret: MasterSecret, approval: Approval): string {
  return hmacSha256(secret.subkey("approval-index"), approvalText(approval)).toString("base64url");
}

/** Every index that rows may have for what a call approves: one for each master secret. Null: those that approve nothing. */
export function approvalIndexes({ all }: Pick<Keyring, "all">, approval: Approval | undefined): string[] | null {
  return approval === undefined ? null : all.map((secret) => approvalIndex(secret, approval));
}

/** SQL that is true of the verifications that have one of the indexes, or none if they are null. */
export function hasApproval(indexes: string): string {
  return `coalesce(approval_index = ANY (${indexes}), approval_index IS NULL AND ${indexes} IS NULL)`;
}

/** The approval as a new row has it. */
export function storedApproval(
  keyring: Keyring,
  workspaceId: string,
  verificationId: string,
  approval: Approval | undefined,
) {
  return approval === undefined
    ? undefined
    : {
        approvalSealed: sealApproval(keyring, workspaceId, verificationId, approval),
        approvalIndex: approvalIndex(keyring.current, approval),
      };
}

export function sealApproval(keyring: Keyring, workspaceId: string, verificationId: string, approval: Approval) {
  return seal(keyring, "approval-seal", recipientContext(workspaceId, verificationId), JSON.stringify(approval));
}

/** Null: the verification approves nothing, is erased, or was sealed with a secret that the server does not have. */
export function unsealApproval(
  keyring: Keyring,
  workspaceId: string,
  verificationId: string,
  sealed: Buffer | null,
): Approval | null {
  const context = recipientContext(workspaceId, verificationId);
  const text = sealed === null ? undefined : unseal(keyring, "approval-seal", context, sealed);
  return text === undefined ? null : JSON.parse(text);
}
