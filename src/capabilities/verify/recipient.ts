import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { Keyring, MasterSecret } from "../../crypto/keyring.ts";
import { invalidFields } from "../../errors.ts";
import { foldMailbox } from "../../text/fold-mailbox.ts";
import { exactLocal, parseMailAddress } from "../../text/mail-address.ts";
import type { PhoneNumber } from "../../text/numbering-plans.ts";
import { parsePhoneNumber } from "../../text/phone-number.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";

/** A parsed, valid recipient of a code. */
export interface Recipient {
  /** The address of the message: E.164, or the mail address as given, with its domain in punycode. */
  readonly address: string;
  /** Identifies the recipient. Lists, erasures and checks compare this. */
  readonly exact: string;
  /** The same for all spellings that reach one mailbox or phone. Only limits use it. */
  readonly folded: string;
  /** Of a phone number. */
  readonly number?: PhoneNumber;
}

/** Why a recipient is malformed, as the caller reads it. */
export interface RecipientProblem {
  readonly problem: string;
}

/** The form of a recipient that a channel takes. */
export function formOf(channel: ChannelName): "mail" | "phone" {
  return channel === "email" ? "mail" : "phone";
}

/** Parses a recipient in the form that the channel takes. */
export function parseRecipient(channel: ChannelName, text: string): Recipient | RecipientProblem {
  return formOf(channel) === "mail" ? parseMailRecipient(text) : parsePhoneRecipient(text);
}

function parsePhoneRecipient(text: string): Recipient | RecipientProblem {
  // The library accepts the parameters of `tel:` URIs (RFC 3966) even without the scheme, and drops them.
  const number = text.includes(";") ? undefined : parsePhoneNumber(text);
  if (number === undefined || number.ext !== undefined || !number.isPossible()) {
    return { problem: "must be a phone number in E.164 form, such as +6591234567" };
  }
  const e164 = number.number;
  return { address: e164, exact: e164, folded: foldPhone(e164), number };
}

function parseMailRecipient(text: string): Recipient | RecipientProblem {
  const address = parseMailAddress(text);
  if (address === undefined) {
    return { problem: "must be an email address" };
  }
  const { local, domain } = address;
  return {
    address: `${local}@${domain}`,
    exact: `${exactLocal(local)}@${domain}`,
    folded: foldMailbox(local, domain),
  };
}

/** `Recipient.exact` of a stored address, even if today's rules would refuse it. */
export function exactOfAddress(address: string): Pick<Recipient, "exact"> {
  const mail = address.includes("@") ? parseMailAddress(address) : undefined;
  return { exact: mail === undefined ? address : `${exactLocal(mail.local)}@${mail.domain}` };
}

/** The index of a recipient in a new row. The address cannot be computed from it without the master secret. */
export function exactIndex(secret: MasterSecret, { exact }: Pick<Recipient, "exact">): string {
  return indexOf(secret.subkey("exact-recipient-index"), exact);
}

/** Every index that rows may have for the recipient: a row's is of the secret that was current when it was written. */
export function exactIndexes({ all }: Pick<Keyring, "all">, recipient: Recipient): string[] {
  return all.map((secret) => exactIndex(secret, recipient));
}

/**
 * The recipient as its limits count it: one index for each secret, so that the counts survive a rotation. Sorted, so that all
 * statements lock the buckets in the same order.
 */
export function limitIndexes({ all }: Pick<Keyring, "all">, { folded }: Recipient): string[] {
  return all.map((secret) => indexOf(secret.subkey("recipient-index"), folded)).sort();
}

function indexOf(key: Buffer, text: string): string {
  return hmacSha256(key, text).toString("base64url");
}

/** The sealing context of a verification's recipient and end user: they can be unsealed only for this verification. */
export function recipientContext(workspaceId: string, verificationId: string): string {
  return `${workspaceId}/${verificationId}`;
}

/** The sealing context of a verification's second recipient, whose form is not that of the start's recipient. */
export function secondRecipientContext(workspaceId: string, verificationId: string): string {
  return `${recipientContext(workspaceId, verificationId)}/second`;
}

/** How a suppression finds and reads the recipient that it has of a verification. `app.ts` hands it to that capability. */
export const storedRecipients = {
  indexesOfAny,
  indexOfAddress: (secret: MasterSecret, address: string) => exactIndex(secret, exactOfAddress(address)),
  contextOf: (workspaceId: string, verificationId: string, isSecond: boolean) =>
    (isSecond ? secondRecipientContext : recipientContext)(workspaceId, verificationId),
};

/** Parses a recipient whose channel is not known: a mail address if it contains `@`, otherwise a phone number. */
export function parseAnyRecipient(text: string): Recipient | RecipientProblem {
  const recipient = text.includes("@") ? parseMailRecipient(text) : parsePhoneRecipient(text);
  return "problem" in recipient ? { problem: "must be a phone number in E.164 form or an email address" } : recipient;
}

/**
 * Every index that rows may have for a recipient whose channel is not known. Throws `validation_error` if it is neither a
 * phone number nor a mail address.
 */
export function indexesOfAny(keyring: Pick<Keyring, "all">, text: string): string[] {
  const recipient = parseAnyRecipient(text);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  return exactIndexes(keyring, recipient);
}

/** Forms of numbers that reach the same phone as another form, which limits count instead. Both are numbers of the plan, or were. */
const spellings: readonly (readonly [pattern: RegExp, counted: string])[] = [
  // Argentina: calls from abroad to a mobile number have a 9 before the area code. The ten digits without it are the same
  // line, because fixed and mobile lines share one numbering plan.
  [/^\+549(\d{10})$/, "+54$1"],
  // Brazil added a 9 before the eight digits of mobile numbers (Anatel, 2010 to 2016), which began with 6 to 9; older
  // WhatsApp accounts still have eight digits. Fixed lines have eight digits that begin with 2 to 5.
  [/^\+55(\d{2})9([6-9]\d{7})$/, "+55$1$2"],
];

/** Maps all forms that reach one phone to one number. For limits only: it may be a number that nobody can call. */
function foldPhone(e164: string): string {
  for (const [pattern, counted] of spellings) {
    if (pattern.test(e164)) {
      return e164.replace(pattern, counted);
    }
  }
  return e164;
}
