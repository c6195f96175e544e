import { type Bucket, boundLimit, constantLimit } from "../database/throttle.ts";
import { AppError } from "../errors.ts";
import type { Mode } from "../rpc/access/caller.ts";
import type { SendLimit } from "../rpc/quota/send-limits.ts";

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

/**
 * Whatever a message with a code is limited by, in the order it is asked, for a statement whose `$1` is the workspace and
 * whose placeholders from `first` on are `sendBucketValues`.
 */
export function sendBuckets(first: number): readonly Bucket[] {
  const workspaceId = "$1";
  const value = (index: number) => `$${first + index}`;
  const keys = (index: number) => `${value(index)}::text[]`;
  return [
    { name: "source", workspaceId, keys: keys(0), limit: boundLimit(value(1), value(2)), isTaken: true },
    { name: "end_user", workspaceId, keys: keys(3), limit: boundLimit(value(4), value(5)), isTaken: true },
    { name: "guesses", workspaceId, keys: keys(6), limit: guessLimit, isTaken: false },
    { name: "recipient", workspaceId, keys: keys(7), limit: sendLimit, isTaken: true },
    { name: "unverified", workspaceId: "'ws_byond'", keys: keys(8), limit: sendLimit, isTaken: true },
  ];
}

/**
 * The values of `sendBuckets`. Workspaces whose user has not proved a mail address share one bucket a recipient: whoever makes
 * many of them sends no more than with one.
 */
export function sendBucketValues(
  origin: readonly SendLimit[],
  mode: Mode,
  limitIndexes: readonly string[],
  { isShared }: { readonly isShared: boolean },
) {
  const originValues = (bucket: SendLimit["bucket"]) => {
    const found = origin.find((limit) => limit.bucket === bucket);
    return found === undefined ? [[], null, null] : [[found.key], found.limit.burst, found.limit.periodSeconds];
  };
  return [
    ...originValues("source"),
    ...originValues("end_user"),
    keysOf("guess", mode, limitIndexes),
    keysOf("send", mode, limitIndexes),
    isShared ? keysOf("send", mode, limitIndexes) : [],
  ];
}

/** What a statement that asks `sendBuckets` says of its `wait`. */
export interface SendWait {
  readonly empty_bucket: string | null;
  readonly wait_seconds: number | null;
}

/** The error of a send that was refused. */
export function sendRefusal(wait: SendWait | undefined, origin: readonly SendLimit[]): AppError {
  // Without a bucket that was empty before, a call at the same moment took the last token: it will be back shortly.
  const limit = origin.find(({ bucket }) => bucket === wait?.empty_bucket);
  const message = limit?.message ?? "Too many verifications for this recipient. Try again later.";
  return new AppError("rate_limited", message, { retryAfterSeconds: wait?.wait_seconds ?? 60 });
}
