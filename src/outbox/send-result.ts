import type { Mode } from "../access/caller.ts";
/**
 * What an attempt shows about the provider:
 *
 * - `works`: it answered, whatever it said about this message.
 * - `fails`: it could not be reached, or its answer concerns every message, such as a 503.
 * - `unknown`: the attempt ended in this server: an error of ours or of the database, a secret that is gone, a message that was
 *   withdrawn or expired during the attempt.
 */
export type ProviderState = "works" | "fails" | "unknown";

/** How an attempt to send ended. Reasons hold no code, no recipient, no secret and nothing that a provider wrote. */
export type SendResult = AttemptResult & {
  /** Which provider the attempt was made with. Undefined: none was asked, or the kind of message knows no providers. */
  readonly providerName?: string;
  /** The sender logs the pauses of its providers itself: those of the lane say nothing more. */
  readonly logsPauses?: true;
  /**
   * The provider may have taken the message, or a part of it, and nobody knows: it had been handed over, and no answer came. Whatever comes later, the
   * message is paid for and counted. Not set where it is known that nothing was sent: no connection, or an answer that refuses it.
   */
  readonly mayBeSent?: true;
  /** What the message is counted under, if it was or may have been sent. Default: it is not counted. */
  readonly usage?: MessageUsage;
};

type AttemptResult =
  | {
      readonly kind: "sent";
      readonly providerMessageId: string;
      /** The provider will report the delivery (`recordReceipts`). Default: that it accepted the message is the last that it says. */
      readonly awaitsReceipt?: boolean;
      /** Parts that a text message was sent in. */
      readonly segments?: number;
    }
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly provider: ProviderState;
      /** The pause that the provider asked for. Default: the worker's back-off. */
      readonly afterMs?: number;
    }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly provider: Exclude<ProviderState, "fails">;
      /** The recipient cannot receive messages of this channel: every other message would fail, too. */
      readonly undeliverable?: true;
      /** Only this provider refuses the message, as for a country that its account is not enabled for: another one may take it. */
      readonly elsewhere?: true;
    }
  /** The message is no longer wanted, and the provider was not called. Recorded as failed. */
  | { readonly kind: "withdrawn"; readonly reason: string };

/** The sender has finished the row itself, by the statement of its effect: there is nothing to record. */
export interface Settled {
  readonly kind: "settled";
}

/** What a message is counted under in the usage of its workspace. */
export interface MessageUsage {
  readonly mode: Mode;
  readonly channel: string;
  /** ISO 3166, or the calling code of an international network. Empty: it goes to a mail address. */
  readonly country: string;
  /** Empty: no key has caused it. */
  readonly keyId: string;
}

export interface SendOptions {
  /** The same for every attempt at one message, so that a provider can recognise a repetition. */
  readonly idempotencyKey: string;
  /** What the message is about, such as a verification. A mail names it, so that a report about the mail is found. */
  readonly subjectId?: string;
  /** Aborts when the attempt times out, or the message expires. */
  readonly signal: AbortSignal;
}
