import type { SendOptions, SendResult } from "../../outbox/send-result.ts";

/** The ways a code can travel: the one list of them beside the enumeration of the schema. */
export const channelNames = ["sms", "voice", "whatsapp", "email"] as const;
export type ChannelName = (typeof channelNames)[number];

/** A code to deliver, in parts: each channel words it in its own way. */
export interface CodeMessage {
  /** Whose message it is. */
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
  /** The domain that browsers may fill the code in on. */
  readonly autofillDomain?: string;
  /** The address of the server whose account gets a new password by the code. Undefined: the code verifies somebody. */
  readonly resetsPasswordAt?: string;
  readonly mode: "live" | "test";
}

/** Carries codes to people. */
export interface Channel {
  /** Names what carries them, as recorded attempts show it. */
  readonly name: string;
  /**
   * Makes one attempt. Resolves in every case, soon after the signal aborts: what a provider refuses is a result, not
   * an error. After an abort nothing more is sent.
   */
  send(message: CodeMessage, options: SendOptions): Promise<SendResult>;
  /** Lets go of connections. */
  close?(): void;
}

/**
 * A recipient as logs and answers may show it: `+65••••4567`, `j•••@example.com`. The number of dots tells nothing about
 * the length. Of a number, at least three digits are hidden: a short one shows fewer at its end.
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
