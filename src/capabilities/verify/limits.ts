import type { Mode } from "../../access/caller.ts";
import type { Statement } from "../../database/database.ts";
import { askBuckets, type Bucket, type BucketSteps, boundLimit, constantLimit } from "../../database/throttle.ts";
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

type Value = readonly string[] | number;

/** The buckets that are asked, in order, for a statement whose `$1` is the workspace, and its values from `first` on. */
export interface SendBuckets {
  readonly buckets: readonly Bucket[];
  readonly values: readonly Value[];
}

/** Whatever a message with a code is limited by. */
export function sendBuckets(first: number, { origin, mode, limitIndexes, isShared }: Send): SendBuckets {
  const buckets: Bucket[] = [];
  const values: Value[] = [];
  const placeholder = (value: Value) => `$${first + values.push(value) - 1}`;
  const ask = (bucket: Omit<Bucket, "workspaceId" | "keys">, keys: readonly string[], workspaceId = "$1") => {
    buckets.push({ ...bucket, workspaceId, keys: `${placeholder(keys)}::text[]` });
  };
  for (const { bucket: name, key, limit } of origin) {
    const bound = boundLimit(placeholder(limit.burst), placeholder(limit.periodSeconds));
    ask({ name, limit: bound, isTaken: true }, [key]);
  }
  ask({ name: "guesses", limit: guessLimit, isTaken: false }, keysOf("guess", mode, limitIndexes));
  const sendKeys = keysOf("send", mode, limitIndexes);
  ask({ name: "recipient", limit: sendLimit, isTaken: true }, sendKeys);
  if (isShared) {
    ask({ name: "unverified", limit: sendLimit, isTaken: true }, sendKeys, "'ws_byond'");
  }
  return { buckets, values };
}

/**
 * A statement that asks buckets, once for each list of them: what is not asked is not in its plan. `condition` is SQL that
 * must hold for anything to be taken, `text` what the statement is made of with its steps.
 */
export function statementPerBuckets(name: string, condition: string, text: (limits: BucketSteps) => string) {
  const statements = new Map<string, Statement>();
  return (buckets: readonly Bucket[]): Statement => {
    // PostgreSQL's names have 63 characters: two that are always asked need none of them.
    const optional = buckets.map((bucket) => bucket.name).filter((each) => each !== "guesses" && each !== "recipient");
    const fullName = [name, ...optional].join("_");
    const statement = statements.get(fullName) ?? { name: fullName, text: text(askBuckets(buckets, condition)) };
    statements.set(fullName, statement);
    return statement;
  };
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
