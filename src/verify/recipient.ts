import { createHmac } from "node:crypto";
import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { ChannelName } from "../delivery/outgoing-message.ts";
import { parseMailAddress } from "../mail-address.ts";
import type { MasterSecret } from "../secrets.ts";

/** Who a code is sent to, in a form that cannot be wrong any more. */
export interface Recipient {
  /** What the message is addressed to: E.164, or the mail address as given with its domain as punycode. */
  readonly address: string;
  /** What is really addressed, the same for all ways of writing it. Limits go by it. */
  readonly canonical: string;
}

/** What a malformed recipient is told. */
export interface RecipientProblem {
  readonly problem: string;
}

/** Reads a recipient in the form that the channel takes. */
export function parseRecipient(channel: ChannelName, text: string): Recipient | RecipientProblem {
  return channel === "email" ? parseMailRecipient(text) : parsePhoneRecipient(text);
}

function parsePhoneRecipient(text: string): Recipient | RecipientProblem {
  // The library reads digits of any width, but no wide plus here.
  const number = parsePhoneNumberFromString(text.trim().replace(/^＋/, "+"), { extract: false });
  if (number === undefined || number.ext !== undefined || !number.isPossible()) {
    return { problem: "must be a phone number in E.164 form, such as +6591234567" };
  }
  return { address: number.number, canonical: number.number };
}

function parseMailRecipient(text: string): Recipient | RecipientProblem {
  const address = parseMailAddress(text.trim());
  if (address === undefined) {
    return { problem: "must be an email address" };
  }
  const local = address.local.normalize("NFKC").toLowerCase();
  const [mailbox] = local.split("+", 1);
  return {
    address: `${address.local}@${address.domain}`,
    canonical: `${mailbox || local}@${address.domain}`,
  };
}

/** A recipient as the database knows it: tells two apart, and cannot be read back without the master secret. */
export function recipientIndex(secret: MasterSecret, canonical: string): string {
  return createHmac("sha256", secret.subkey("recipient-index")).update(canonical).digest("base64url");
}

/** What a verification's sealed recipient is bound to. */
export function recipientContext(workspaceId: string, verificationId: string): string {
  return `${workspaceId}/${verificationId}`;
}

/** Reads a recipient whose channel is not known: what has an `@` is a mail address. */
export function parseAnyRecipient(text: string): Recipient | RecipientProblem {
  const recipient = text.includes("@") ? parseMailRecipient(text) : parsePhoneRecipient(text);
  return "problem" in recipient ? { problem: "must be a phone number in E.164 form or an email address" } : recipient;
}
