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
