import type { Mode } from "../../access/caller.ts";
import { array, double, integer, optional, type Placeholders, text, type ValuesOf } from "../../database/statement.ts";
import { askBuckets, type Bucket, type BucketSteps, boundLimit } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import type { SendLimit } from "./origin-limits.ts";
import { guessLimit, sendLimit } from "./verify.policy.ts";

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

/**
 * What a statement that asks the limits of a send takes for them, beside `workspaceId`. Numbers of their own: elements of
 * arrays cost a start 3 % more.
 */
export const sendParameters = {
  sourceKeys: optional(array(text)),
  sourceBurst: optional(integer),
  sourceSeconds: optional(double),
  endUserKeys: optional(array(text)),
  endUserBurst: optional(integer),
  endUserSeconds: optional(double),
  guessKeys: array(text),
  sendKeys: array(text),
};

type SendPlaceholders = Placeholders<typeof sendParameters>;

const originBucket: Record<SendLimit["bucket"], (p: SendPlaceholders) => Pick<Bucket, "keys" | "limit">> = {
  source: (p) => ({ keys: p.sourceKeys, limit: boundLimit(p.sourceBurst, p.sourceSeconds) }),
  end_user: (p) => ({ keys: p.endUserKeys, limit: boundLimit(p.endUserBurst, p.endUserSeconds) }),
};

/** Which buckets a send asks, and its values of `sendParameters`. */
export function sendLimits({ origin, mode, limitIndexes, isShared }: Send): {
  readonly parts: readonly SendPart[];
  readonly values: ValuesOf<typeof sendParameters>;
} {
  const source = origin.find(({ bucket }) => bucket === "source");
  const endUser = origin.find(({ bucket }) => bucket === "end_user");
  return {
    parts: [...origin.map(({ bucket }) => bucket), ...(isShared ? (["unverified"] as const) : [])],
    values: {
      sourceKeys: source && [source.key],
      sourceBurst: source?.limit.burst,
      sourceSeconds: source?.limit.periodSeconds,
      endUserKeys: endUser && [endUser.key],
      endUserBurst: endUser?.limit.burst,
      endUserSeconds: endUser?.limit.periodSeconds,
      guessKeys: keysOf("guess", mode, limitIndexes),
      sendKeys: keysOf("send", mode, limitIndexes),
    },
  };
}

/**
 * Whatever a message with a code is limited by, as steps of a statement. What is not asked is not in its plan, where it would
 * cost some 10 µs. `condition` is SQL that must hold for anything to be taken.
 */
export function sendSteps(
  p: SendPlaceholders & { readonly workspaceId: string },
  parts: readonly SendPart[],
  condition: string,
): BucketSteps {
  const { workspaceId, guessKeys, sendKeys } = p;
  const origin = parts.filter((part) => part !== "unverified");
  const buckets: Bucket[] = [
    ...origin.map((name) => ({ name, workspaceId, ...originBucket[name](p), isTaken: true })),
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
