import type { Mode } from "../../access/caller.ts";
import { defineStep, type Step } from "../../database/shared-statement.ts";
import { text, type ValuesOf } from "../../database/statement.ts";
import type { ThrottleLimit } from "../../database/throttle.ts";
import type { GuardReason } from "../../errors.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { EndUser } from "./end-user.ts";
import type { StepRow } from "./fallback/fallback-step.ts";
import type { Recipient } from "./recipient.ts";

/** What the price of a send is charged to. The step `charge` reads it. */
export interface SendCharge {
  /** The reserve of the workspace's balance. */
  readonly reserveId: string;
  readonly amount: number;
  /** Empty: no key. */
  readonly keyId: string;
  /** What costs the price, such as `sms/DE`. */
  readonly item: string;
}

/** One code to send, by a start or by a resend: what the steps of its statement read. */
export interface Send {
  readonly workspaceId: string;
  readonly verificationId: string;
  readonly mode: Mode;
  readonly channel: ChannelName;
  readonly recipient: Recipient;
  /** Every exact index that rows may have for the recipient: one for each master secret. */
  readonly exactIndexes: readonly string[];
  /** The end user whom the start named. */
  readonly endUser: EndUser;
  /** The limits of the account and of the end user. The recipient's come after them, so that a refused send never spends a victim's allowance. */
  readonly originLimits: readonly OriginLimit[];
  /** The recipient as its limits count it: one index for each master secret. */
  readonly limitIndexes: readonly string[];
  /**
   * True if messages leave the server and no user of the workspace has verified a mail address. Such workspaces share one
   * bucket for each recipient, so that more workspaces do not allow more codes.
   */
  readonly sharesRecipientLimit: boolean;
  /** Undefined: the channel has no provider, so nothing is sent. */
  readonly message: QueuedMessage | undefined;
  /** Null: the server sends the code for one of its own accounts, or by itself. */
  readonly credential: HeldCredential;
  /** The field of the call that names the recipient. Default: `recipient`. */
  readonly recipientField?: string;
  /** The key of the start, which it is charged and counted to. Undefined: there is none. */
  readonly keyId?: string | undefined;
  /** What its price is charged to. Undefined: it costs nothing. */
  readonly charge?: SendCharge;
  /** The steps of the verification's fallback that the send writes. Default: none. */
  readonly steps?: readonly StepRow[];
  /** The first step among them that goes to a phone, if one does. Default: none. */
  readonly laterToPhone?: Pick<Send, "channel" | "recipient" | "exactIndexes" | "recipientField"> | undefined;
  /** How the guard has judged it. Undefined: it was not judged. */
  readonly screening?: Screening;
}

/** A bucket of the throttle that a send takes a token from. */
export interface OriginLimit {
  readonly bucket: "account" | "end_user" | "country" | "number_range";
  /** The throttle's keys within the workspace: see `Bucket.keys`. */
  readonly keys: readonly string[];
  readonly limit: ThrottleLimit;
  /** The text of the error if the bucket is empty. */
  readonly message: string;
  /** The guard's reason, if it is one of its limits. */
  readonly reason?: GuardReason;
}

/** What the guard has found of a send before its statement: its steps read it. */
export interface Screening {
  /** Over which the number that was judged gets the code. */
  readonly channel: ChannelName;
  /** The field of the call that names the number. */
  readonly field: string;
  /** Whether the number gets this code later, by a step of the fallback: its ranges are looked up then. */
  readonly isLater: boolean;
  /** The version of the workspace's settings that it was found by. The send takes place only if it still is that. */
  readonly settingsVersion: number;
  /** Refuses the send. */
  readonly refused: GuardReason | undefined;
  /** Does not refuse it. It is recorded if the send takes place and nothing else is found. */
  readonly counted: GuardReason | undefined;
  /** Whether what refuses the send, here or in the statement, is only recorded: the send takes place. */
  readonly isShadow: boolean;
  /** The ranges of the number, whose traffic is judged. Empty: it is not. */
  readonly ranges: readonly string[];
  /** Limits of the country and of the range. In shadow they only count. */
  readonly limits: readonly OriginLimit[];
  /** Whether the workspace's hook is to be asked. */
  readonly asksHook: boolean;
  /** Whether the workspace shares a bucket for each recipient with those that are not verified. */
  readonly sharesRecipientLimit: boolean;
  /** ISO 3166. Null: the number does not tell. */
  readonly country: string | null;
  /** The first digits of the number. */
  readonly numberRange: string;
}

/** The outbox row that the send writes. */
export interface QueuedMessage {
  readonly id: string;
  /** Names the sender of the outbox that sends it. */
  readonly kind: string;
  readonly lane: string;
  readonly payloadSealed: Buffer;
  /** The server that runs the statement. It sends the message after the commit. */
  readonly claimedBy: string;
}

/** The range of the number that a send goes to, if its traffic is judged: the guard looks its blocks up. */
export function judgedRange({ screening }: Pick<Send, "screening">): string | null {
  return screening === undefined || screening.ranges.length === 0 ? null : screening.numberRange;
}

/** SQL that has a verification know that a code is sent to its number, given the range: null if it goes elsewhere. `sending` is in the statement. */
export const noteNumber = (range: string) => `
        number_range = coalesce(number_range, ${range}),
        number_sent_at = CASE WHEN number_range IS NULL AND ${range} IS NOT NULL THEN sending.created_at ELSE number_sent_at END`;

/** The part of a step that a send with a price needs. */
export const chargedPart = ({ charge }: { readonly charge?: SendCharge | undefined }): readonly string[] =>
  charge === undefined ? [] : ["charged"];

/** SQL that adds the price of a send to those of its verification. */
export const addPrice = (parts: readonly string[], p: { readonly price: string }) =>
  parts.includes("charged") ? `charged = coalesce(charged, 0) + ${p.price},` : "";

/** The parameters that all steps of a send have. `id` is the verification's. */
export const sendParameters = { workspaceId: text, id: text, mode: text };

export function sendValues({ workspaceId, verificationId, mode }: Send): ValuesOf<typeof sendParameters> {
  return { workspaceId, id: verificationId, mode };
}

/**
 * A step of the statement that sends a code. The steps after `verification` read the CTE `sending`: it has one row, with
 * `created_at` and `expires_at`, if the send takes place, and none otherwise.
 */
export type SendStep = Step<Send>;

/** Defines a step of a send, with the types of its parameters. `Step` has an example. */
export const defineSendStep = defineStep<Send, typeof sendParameters>();
