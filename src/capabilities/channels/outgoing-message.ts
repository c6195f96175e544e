import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import type { MessageTemplate } from "./own-texts/message-template.ts";

/** All channels. The schema's enum `Channel` is the only other list. */
export const channelNames = ["sms", "voice", "whatsapp", "email"] as const;
export type ChannelName = (typeof channelNames)[number];

/** An amount of money. */
export interface Amount {
  /** A decimal number with the digits that the currency has: `10.50`. */
  readonly value: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** A payment that a code approves. */
export interface Approval {
  readonly payee: string;
  readonly amount: Amount;
}

/** A message with a code, in parts: each channel words it in its own way. */
export interface CodeMessage {
  /** The workspace that started the verification. */
  readonly workspaceId: string;
  readonly channel: ChannelName;
  /** A mail address for `email`, a number in E.164 form for the others. */
  readonly recipient: string;
  readonly code: string;
  /** The sender's name as the recipient reads it. */
  readonly brand: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** BCP 47. Undefined, or a language without texts: English. */
  readonly locale?: string;
  /** The domain on which browsers may fill in the code. */
  readonly autofillDomain?: string;
  /** Present: the subject of a mail begins with the code. */
  readonly codeInSubject?: true;
  /** URL of the server on which the code resets an account's password. Undefined: the code verifies a recipient. */
  readonly resetsPasswordAt?: string;
  /** What the code approves: the message must show it. Undefined: the code verifies a recipient. */
  readonly approval?: Approval;
  readonly mode: "live" | "test";
  /** The workspace's own text. Undefined: the server's. */
  readonly template?: MessageTemplate;
}

/** Sends messages with codes over one provider. */
export interface Channel {
  /** The provider's name in recorded attempts. Undefined: results have it (`providerName`). */
  readonly name: string | undefined;
  /**
   * Makes one attempt. Never rejects: a refusal of the provider is a result. Resolves soon after the signal aborts, and then
   * sends nothing more.
   */
  send(message: CodeMessage, options: SendOptions): Promise<SendResult>;
  /** Closes connections. Resolves when they have ended in order. */
  close?(): void | Promise<void>;
}

/**
 * Masks a recipient for logs and responses: `+65••••4567`, `j•••@example.com`. The number of dots does not depend on
 * the length. At least three digits of a number are hidden: short numbers show fewer digits at the end.
 */
export function maskRecipient(recipient: string): string {
  const at = recipient.lastIndexOf("@");
  if (at >= 0) {
    const [first = ""] = recipient.slice(0, at);
    return `${first}•••${recipient.slice(at)}`;
  }
  const shown = recipient.length >= 11 ? 4 : recipient.length >= 8 ? 2 : 0;
  return `${recipient.slice(0, 3)}••••${recipient.slice(recipient.length - shown)}`;
}
