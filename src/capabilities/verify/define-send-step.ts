import type { Mode } from "../../access/caller.ts";
import { defineStep, type Step } from "../../database/shared-statement.ts";
import { text } from "../../database/statement.ts";
import type { ThrottleLimit } from "../../database/throttle.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { Recipient } from "./recipient.ts";

/** A code that is to be sent, by a start or by a resend, as the steps of its statement see it. */
export interface Send {
  readonly workspaceId: string;
  readonly verificationId: string;
  readonly mode: Mode;
  readonly channel: ChannelName;
  readonly recipient: Recipient;
  /** Whom the code is for, as limits count people. Undefined: not known. */
  readonly endUserKey: string | undefined;
  /** The limits by where the call comes from and whom it is for, in the order they are asked. */
  readonly originLimits: readonly OriginLimit[];
  /** What the recipient's limits are counted by: one index for each master secret. */
  readonly limitIndexes: readonly string[];
  /**
   * Whether the workspace's user has not proved a mail address, where messages really leave. Such workspaces share one bucket
   * a recipient: making many of them does not allow more codes.
   */
  readonly sharesRecipientLimit: boolean;
  /** Undefined if the channel has no provider: nothing is sent. */
  readonly message: SendMessage | undefined;
  /** Null: the server sends it for its own accounts. */
  readonly credential: HeldCredential;
}

/** A bucket of the throttle that a send consumes a token of. */
export interface OriginLimit {
  readonly bucket: "source" | "end_user";
  /** The throttle's key within the workspace. */
  readonly key: string;
  readonly limit: ThrottleLimit;
  /** What the client reads when there is no token. */
  readonly message: string;
}

/** The row of the outbox that the send writes. */
export interface SendMessage {
  readonly id: string;
  /** Which sender of the outbox it is for. */
  readonly kind: string;
  readonly lane: string;
  readonly payloadSealed: Buffer;
  /** The server that runs the statement, and sends the message after the commit. */
  readonly claimedBy: string;
}

/** What every step of a send is given. `id` is the verification's. */
export const sendParameters = { workspaceId: text, id: text, mode: text };

/**
 * A step of a send. Those after the verification was written read the CTE `sending`: it has one row, with `created_at` and `expires_at`, if
 * the send takes place, and none otherwise.
 */
export type SendStep = Step<Send>;

/** Types a step of a send; see `Step`. */
export const defineSendStep = defineStep<Send, typeof sendParameters>();
