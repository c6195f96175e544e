import type { Mode } from "../../access/caller.ts";
import { array, optional, type Placeholders, text, type ValuesOf } from "../../database/statement.ts";
import {
  askBuckets,
  type Bucket,
  type BucketSteps,
  constantLimit,
  limitedKeyBucket,
  limitedKeyParameters,
  limitedKeyValues,
} from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import type { SendLimit } from "../../quota/send-limits.ts";

/** Wrong codes that lock a verification. */
export const maxAttempts = 5;

/** Messages that carry a verification's code, that of the start included. */
export const maxSends = 5;

/** Codes sent to one recipient, by starts and resends: three at once, then one a minute. */
const sendLimit = constantLimit({ burst: 3, periodSeconds: 60 });

/** Wrong codes for one recipient, across verifications: a new code is not a new budget for guessing. */
export const guessLimit = constantLimit({ burst: 10, periodSeconds: 8_640 });

/** SQL of the throttle's key of a budget for guessing, given SQL of the mode and of a limit index. */
export const guessKey = (mode: string, index: string) => `('guess:' || ${mode} || ':' || ${index})`;

/** The throttle's keys of a recipient, given the recipient's limit indexes. */
const keysOf = (kind: "guess" | "send", mode: Mode, limitIndexes: readonly string[]) =>
  limitIndexes.map((index) => `${kind}:${mode}:${index}`);

/** A message with a code, as its limits see it. */
interface Send {
  /** The limits by where it comes from and whom it is for, in the order they are asked. */
  readonly origin: readonly SendLimit[];
  readonly mode: Mode;
  readonly limitIndexes: readonly string[];
  /**
   * Whether the workspace's user has not proved a mail address, where messages really leave. Such workspaces share one bucket
   * a recipient: whoever makes many of them sends no more than with one.
   */
  readonly isShared: boolean;
}

/** A bucket that not every send asks. The guesses and the recipient's are always asked. */
export type SendPart = SendLimit["bucket"] | "unverified";

/** What a statement that asks the limits of a send takes for them, beside `workspaceId`. */
export const sendParameters = {
  keys: optional(limitedKeyParameters.keys),
  bursts: optional(limitedKeyParameters.bursts),
  periodsSeconds: optional(limitedKeyParameters.periodsSeconds),
  guessKeys: array(text),
  sendKeys: array(text),
};

/** Which buckets a send asks, and its values of `sendParameters`. */
export function sendLimits({ origin, mode, limitIndexes, isShared }: Send): {
  readonly parts: readonly SendPart[];
  readonly values: ValuesOf<typeof sendParameters>;
} {
  return {
    parts: [...origin.map(({ bucket }) => bucket), ...(isShared ? (["unverified"] as const) : [])],
    values: {
      ...limitedKeyValues(origin),
      guessKeys: keysOf("guess", mode, limitIndexes),
      sendKeys: keysOf("send", mode, limitIndexes),
    },
  };
}

/**
 * Whatever a message with a code is limited by, as steps of a statement: what is not asked is not in its plan. `condition` is
 * SQL that must hold for anything to be taken.
 */
export function sendSteps(
  p: Placeholders<typeof sendParameters> & { readonly workspaceId: string },
  parts: readonly SendPart[],
  condition: string,
): BucketSteps {
  const { workspaceId, guessKeys, sendKeys } = p;
  const origin = parts.filter((part) => part !== "unverified");
  const buckets: Bucket[] = [
    ...origin.map((name, index) => limitedKeyBucket(p, index, { name, workspaceId })),
    { name: "guesses", workspaceId, keys: guessKeys, limit: guessLimit, isTaken: false },
    { name: "recipient", workspaceId, keys: sendKeys, limit: sendLimit, isTaken: true },
  ];
  if (parts.includes("unverified")) {
    buckets.push({ name: "unverified", workspaceId: "'ws_byond'", keys: sendKeys, limit: sendLimit, isTaken: true });
  }
  return askBuckets(buckets, condition);
}

/** What a statement that asks `sendSteps` says of its `wait`. */
export interface SendWait {
  readonly emptyBucket: string | null;
  readonly waitSeconds: number | null;
}

/** The error of a send that was refused. */
export function sendRefusal(wait: SendWait | undefined, origin: readonly SendLimit[]): AppError {
  // Without a bucket that was empty before, a call at the same moment took the last token: it will be back shortly.
  const limit = origin.find(({ bucket }) => bucket === wait?.emptyBucket);
  const message = limit?.message ?? "Too many verifications for this recipient. Try again later.";
  return new AppError("rate_limited", message, { retryAfterSeconds: wait?.waitSeconds ?? 60 });
}
