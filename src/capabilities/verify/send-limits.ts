import type { Mode } from "../../access/caller.ts";
import { requestsPerMinuteByTier, type Tier } from "../../access/tiers.ts";
import { array, double, integer, optional, type Placeholders, text } from "../../database/statement.ts";
import { askBuckets, type Bucket, boundLimit } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { defineSendStep, type OriginLimit } from "./define-send-step.ts";
import { guessLimit, sendLimit } from "./verify.policy.ts";

export interface SendLimitSettings {
  /** Sends a minute from one address of the workspace's servers. Undefined: as many as the tier's requests. */
  readonly sourceSendsPerMinute: number | undefined;
  /** Sends an hour on behalf of one end user's address. */
  readonly endUserSendsPerHour: number;
}

export interface SendOrigin {
  readonly tier: Tier;
  /** Where the call came from. */
  readonly clientAddress: string | undefined;
  /** Whom the send is for: what `limitKeyOf` makes of the address that the start named. */
  readonly endUserKey: string | undefined;
}

/**
 * The limits of a send by its origin, in the order they are asked: source, then end user. The recipient's own comes after
 * them, so that a refusal never spends the allowance of a victim.
 */
export function originLimitsOf(settings: SendLimitSettings, origin: SendOrigin): OriginLimit[] {
  const limits: OriginLimit[] = [];
  const perMinute = settings.sourceSendsPerMinute ?? requestsPerMinuteByTier[origin.tier];
  if (perMinute !== null) {
    limits.push({
      bucket: "source",
      key: `source:${limitKeyOf(origin.clientAddress)}`,
      limit: { burst: perMinute, periodSeconds: 60 / perMinute },
      message: "Too many codes from this address. Try again later.",
    });
  }
  if (origin.endUserKey !== undefined) {
    limits.push({
      bucket: "end_user",
      key: `end-user:${origin.endUserKey}`,
      limit: { burst: settings.endUserSendsPerHour, periodSeconds: 3_600 / settings.endUserSendsPerHour },
      message: "Too many codes for this end user. Try again later.",
    });
  }
  return limits;
}

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
  OriginLimit["bucket"],
  (p: Placeholders<typeof parameters>) => Pick<Bucket, "keys" | "limit">
> = {
  source: (p) => ({ keys: p.sourceKeys, limit: boundLimit(p.sourceBurst, p.sourceSeconds) }),
  end_user: (p) => ({ keys: p.endUserKeys, limit: boundLimit(p.endUserBurst, p.endUserSeconds) }),
};

/** A bucket that not every send asks. The guesses and the recipient's are always asked. */
type LimitsPart = OriginLimit["bucket"] | "unverified";

/** What was found before a token was taken. */
type LimitsRow = { readonly emptyBucket: string | null; readonly waitSeconds: number | null };

/**
 * Takes a token of every limit: of the source, of the end user, of the recipient. Wrong guesses for the recipient are only looked at.
 */
export const limitsStep = defineSendStep({
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
