/** The ways a code can travel. */
export type ChannelName = "sms" | "voice" | "whatsapp" | "email";

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

/**
 * What an attempt tells of the provider: it answered, whatever it said of this message (`works`); it fails everybody, or cannot be
 * reached (`fails`); nothing (`unknown`), since the attempt ended in this server: by an error of ours or of the database, a secret
 * that is gone, a message that was withdrawn or that expired on its way.
 */
export type ProviderState = "works" | "fails" | "unknown";

/** How an attempt to send ended. Reasons hold no code, no recipient, no secret and nothing that a provider wrote. */
export type SendResult =
  | { readonly kind: "sent"; readonly providerMessageId: string }
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly provider: ProviderState;
      /** How long the provider asked to be left alone. Default: the worker's back-off. */
      readonly afterMs?: number;
    }
  | { readonly kind: "failed"; readonly reason: string; readonly provider: Exclude<ProviderState, "fails"> }
  /** Nobody wants it any more: the provider was not asked. Recorded as failed. */
  | { readonly kind: "withdrawn"; readonly reason: string };

export interface SendOptions {
  /** The same for every attempt at one message, so that a provider can recognise a repetition. */
  readonly idempotencyKey: string;
  /** Aborted when the time for the attempt is over; at the latest when the message expires. */
  readonly signal: AbortSignal;
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
