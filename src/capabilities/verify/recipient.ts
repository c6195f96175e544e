import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { Keyring, MasterSecret } from "../../crypto/keyring.ts";
import { invalidFields } from "../../errors.ts";
import { foldMailbox } from "../../text/fold-mailbox.ts";
import { exactLocal, parseMailAddress } from "../../text/mail-address.ts";
import { parsePhoneNumber } from "../../text/phone-number.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";

/** Who a code is sent to, in a form that cannot be wrong any more. */
export interface Recipient {
  /** What the message is addressed to: E.164, or the mail address as given with its domain as punycode. */
  readonly address: string;
  /** Tells it apart from every other recipient. Lists, erasure and checks go by it. */
  readonly exact: string;
  /** The same for all spellings that reach one mailbox or phone. Limits go by it, and nothing else. */
  readonly folded: string;
}

/** What a malformed recipient is told. */
export interface RecipientProblem {
  readonly problem: string;
}

/** The form of a recipient that a channel takes. */
export function formOf(channel: ChannelName): "mail" | "phone" {
  return channel === "email" ? "mail" : "phone";
}

/** Reads a recipient in the form that the channel takes. */
export function parseRecipient(channel: ChannelName, text: string): Recipient | RecipientProblem {
  return formOf(channel) === "mail" ? parseMailRecipient(text) : parsePhoneRecipient(text);
}

function parsePhoneRecipient(text: string): Recipient | RecipientProblem {
  // The library reads parameters of `tel:` URIs (RFC 3966) also without the scheme, and drops what is in them.
  const number = text.includes(";") ? undefined : parsePhoneNumber(text);
  if (number === undefined || number.ext !== undefined || !number.isPossible()) {
    return { problem: "must be a phone number in E.164 form, such as +6591234567" };
  }
  const e164 = number.number;
  return { address: e164, exact: e164, folded: foldPhone(e164) };
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

/** What tells a stored address apart (`Recipient.exact`), also where today's rules would not take it any more. */
export function exactOfAddress(address: string): Pick<Recipient, "exact"> {
  const mail = address.includes("@") ? parseMailAddress(address) : undefined;
  return { exact: mail === undefined ? address : `${exactLocal(mail.local)}@${mail.domain}` };
}

/** The index that a new row is found by. It cannot be read back without the master secret. */
export function exactIndex(secret: MasterSecret, { exact }: Pick<Recipient, "exact">): string {
  return indexOf(secret.subkey("exact-recipient-index"), exact);
}

/** Every index that a row may have the recipient under: each has it under the secret that was current when it was written. */
export function exactIndexes({ all }: Pick<Keyring, "all">, recipient: Recipient): string[] {
  return all.map((secret) => exactIndex(secret, recipient));
}

/**
 * What the recipient's limits go by: one index for each secret, so that they survive a rotation. Sorted, so that no two
 * statements lock the buckets in different orders.
 */
export function limitIndexes({ all }: Pick<Keyring, "all">, { folded }: Recipient): string[] {
  return all.map((secret) => indexOf(secret.subkey("recipient-index"), folded)).sort();
}

function indexOf(key: Buffer, text: string): string {
  return hmacSha256(key, text).toString("base64url");
}

/** What a verification's sealed recipient is bound to. */
export function recipientContext(workspaceId: string, verificationId: string): string {
  return `${workspaceId}/${verificationId}`;
}

/** What the sealed second recipient, of the form that the start's does not have, is bound to. */
export function secondRecipientContext(workspaceId: string, verificationId: string): string {
  return `${recipientContext(workspaceId, verificationId)}/second`;
}

/** Reads a recipient whose channel is not known: what has an `@` is a mail address. */
export function parseAnyRecipient(text: string): Recipient | RecipientProblem {
  const recipient = text.includes("@") ? parseMailRecipient(text) : parsePhoneRecipient(text);
  return "problem" in recipient ? { problem: "must be a phone number in E.164 form or an email address" } : recipient;
}

/**
 * Every index that a row may have the recipient under. Throws `validation_error` for what is neither a phone number nor a
 * mail address.
 */
export function indexesOfAny(keyring: Pick<Keyring, "all">, text: string): string[] {
  const recipient = parseAnyRecipient(text);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  return exactIndexes(keyring, recipient);
}

/** Forms of a number that reach one phone, each with the form that it is counted under. */
const spellings: readonly (readonly [pattern: RegExp, counted: string])[] = [
  // Mexico dropped the 1 before mobile numbers in 2019; WhatsApp still knows older accounts by it.
  [/^\+521(\d{10})$/, "+52$1"],
  // Argentina: 9 stands before the area code of a mobile number that is called from abroad. Without it the ten digits are
  // the same line: fixed and mobile lines share one numbering plan.
  [/^\+549(\d{10})$/, "+54$1"],
  // Brazil put a 9 before the eight digits of mobile numbers (Anatel, 2010 to 2016), which began with 6 to 9; WhatsApp
  // still knows older accounts by eight. Fixed lines have eight digits that begin with 2 to 5.
  [/^\+55(\d{2})9([6-9]\d{7})$/, "+55$1$2"],
];

/** One E.164 number for all forms that reach one phone. For limits only: it need not be a number that can be called. */
export function foldPhone(e164: string): string {
  for (const [pattern, counted] of spellings) {
    if (pattern.test(e164)) {
      return e164.replace(pattern, counted);
    }
  }
  return e164;
}
