import { createId } from "../../../crypto/ids.ts";
import { AppError, isUndeliverable } from "../../../errors.ts";
import type { ChannelName } from "../../channels/outgoing-message.ts";

/**
 * Steps of a verification's fallback. The channels of all of them are in its row. A step is a row of the outbox from when it waits for its
 * turn: pending while it waits, then one of
 *
 * | status | the step was |
 * |---|---|
 * | `sent` | taken: its message was written |
 * | `failed` | refused, with a `Refusal` as its error, and the following step came |
 * | `expired` | skipped: `delivered` as its error if a message arrived, otherwise the verification has ended |
 *
 * The following step has no row until then, so there is at most one that waits. The primary key, and the row lock of whoever ends a step, make
 * it impossible to take one twice. `verify-0004.migration.ts` ends a step or brings it forward when a message was delivered or has failed.
 */
export const fallbackKind = "verification_fallback";

/** The lane of the outbox in which steps wait for their turn. */
export const fallbackLane = "fallback";

/** A step in the row of its verification. */
export interface StoredStep {
  readonly channel: ChannelName;
  readonly afterSeconds: number;
  /** The id of its message, if it is taken: known before, so that a second one cannot be written. */
  readonly deliveryId: string;
}

/** The fallback in the row of a verification. */
export interface StoredFallback {
  readonly steps: readonly StoredStep[];
  /** `Send.sharesRecipientLimit` of its caller. Absent: they do not share. */
  readonly isUnverified?: true;
  /** The key of the start. Absent: there was none. */
  readonly keyId?: string;
}

export const refusals = [
  "channel_unavailable",
  "undeliverable",
  "rate_limited",
  "send_limit_reached",
  "not_allowed",
  "insufficient_balance",
  "spend_cap_reached",
] as const;
/** Why nothing could be sent over a step's channel. */
export type Refusal = (typeof refusals)[number];

/** What an error says of the way that a code was to take. Undefined: it is one of the call, and no other way helps. */
export function refusalOfWay(error: unknown): Refusal | undefined {
  if (isUndeliverable(error)) {
    return "undeliverable";
  }
  return error instanceof AppError && error.code === "recipient_blocked" ? "not_allowed" : undefined;
}

/** Makes a step of a new verification. */
export function storedStep({ channel, afterSeconds }: Pick<StoredStep, "channel" | "afterSeconds">): StoredStep {
  return { channel, afterSeconds, deliveryId: createId("dlv") };
}

/** The id of a step in the outbox. Its number begins with 1. */
export function stepId(verificationId: string, number: number): string {
  return `${verificationId}/${number}`;
}

/** The number of a step, given its id. */
export function stepNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf("/") + 1));
}

/** A step's row that a send writes. */
export interface StepRow {
  readonly number: number;
  readonly status: "pending" | "sent" | "failed";
  /** With `pending`: from the send on. */
  readonly afterSeconds: number;
  readonly refusal?: Refusal;
}

/** The rows of a send over the way at `taken`: those that were refused before it, its own, and the one that waits now. Way 0 is the start's own. */
export function stepRows(steps: readonly StoredStep[], taken: number, refused: readonly Refusal[]): StepRow[] {
  return steps.slice(0, taken + 1).map(({ afterSeconds }, index) => {
    const number = index + 1;
    if (number > taken) {
      return { number, status: "pending", afterSeconds };
    }
    const refusal = refused[number];
    return refusal === undefined
      ? { number, status: "sent", afterSeconds: 0 }
      : { number, status: "failed", afterSeconds: 0, refusal };
  });
}
