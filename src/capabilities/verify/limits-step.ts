import type { Mode } from "../../access/caller.ts";
import { array, double, integer, optional, type Placeholders, text } from "../../database/statement.ts";
import { askBuckets, type Bucket, boundLimit } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import type { SendLimit } from "./origin-limits.ts";
import { sendStep } from "./send.ts";
import { guessLimit, sendLimit } from "./verify.policy.ts";

/** SQL of the throttle's key of a budget for guessing, given SQL of the mode and of a limit index. */
export const guessKey = (mode: string, index: string) => `('guess:' || ${mode} || ':' || ${index})`;

/** The throttle's keys of a recipient, given the recipient's limit indexes. */
const keysOf = (kind: "guess" | "send", mode: Mode, limitIndexes: readonly string[]) =>
  limitIndexes.map((index) => `${kind}:${mode}:${index}`);

/** Numbers of their own: elements of arrays cost a start 3 % more. */
const parameters = {
  sourceKeys: optional(array(text)),
  sourceBurst: optional(integer),
  sourceSeconds: optional(double),
  endUserKeys: optional(array(text)),
  endUserBurst: optional(integer),
  endUserSeconds: optional(double),
  guessKeys: array(text),
  sendKeys: array(text),
};

const originBucket: Record<
  SendLimit["bucket"],
  (p: Placeholders<typeof parameters>) => Pick<Bucket, "keys" | "limit">
> = {
  source: (p) => ({ keys: p.sourceKeys, limit: boundLimit(p.sourceBurst, p.sourceSeconds) }),
  end_user: (p) => ({ keys: p.endUserKeys, limit: boundLimit(p.endUserBurst, p.endUserSeconds) }),
};

/** A bucket that not every send asks. The guesses and the recipient's are always asked. */
type LimitsPart = SendLimit["bucket"] | "unverified";

/** What was found before a token was taken. */
type LimitsRow = { readonly emptyBucket: string | null; readonly waitSeconds: number | null };

/**
 * Takes a token of every limit: of the source, of the end user, of the recipient. Wrong guesses for the recipient are only looked at.
 */
export const limitsStep = sendStep({
  name: "limits",
  parameters,
  parts: ({ originLimits, sharesRecipientLimit }): LimitsPart[] => [
    ...originLimits.map(({ bucket }) => bucket),
    ...(sharesRecipientLimit ? (["unverified"] as const) : []),
  ],
  values({ originLimits, mode, limitIndexes }) {
    const source = originLimits.find(({ bucket }) => bucket === "source");
    const endUser = originLimits.find(({ bucket }) => bucket === "end_user");
    return {
      sourceKeys: source && [source.key],
      sourceBurst: source?.limit.burst,
      sourceSeconds: source?.limit.periodSeconds,
      endUserKeys: endUser && [endUser.key],
      endUserBurst: endUser?.limit.burst,
      endUserSeconds: endUser?.limit.periodSeconds,
      guessKeys: keysOf("guess", mode, limitIndexes),
      sendKeys: keysOf("send", mode, limitIndexes),
    };
  },
  sql(p, { parts, before }) {
    const { workspaceId, guessKeys, sendKeys } = p;
    const buckets: Bucket[] = [
      ...(["source", "end_user"] as const)
        .filter((name) => parts.includes(name))
        .map((name) => ({ name, workspaceId, ...originBucket[name](p), isTaken: true })),
      { name: "guesses", workspaceId, keys: guessKeys, limit: guessLimit, isTaken: false },
      { name: "recipient", workspaceId, keys: sendKeys, limit: sendLimit, isTaken: true },
    ];
    if (parts.includes("unverified")) {
      buckets.push({ name: "unverified", workspaceId: "'ws_byond'", keys: sendKeys, limit: sendLimit, isTaken: true });
    }
    const { ctes, allTaken } = askBuckets(buckets, before);
    return {
      ctes,
      passed: allTaken,
      columns: { empty_bucket: "(SELECT bucket FROM wait)", wait_seconds: "(SELECT seconds FROM wait)" },
    };
  },
  refusal({ emptyBucket, waitSeconds }: LimitsRow, { originLimits }) {
    // Without a bucket that was empty before, a call at the same moment took the last token: it will be back shortly.
    const limit = originLimits.find(({ bucket }) => bucket === emptyBucket);
    const message = limit?.message ?? "Too many verifications for this recipient. Try again later.";
    return new AppError("rate_limited", message, { retryAfterSeconds: waitSeconds ?? 60 });
  },
});
