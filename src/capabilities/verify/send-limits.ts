import type { Mode } from "../../access/caller.ts";
import { array, double, integer, optional, text } from "../../database/statement.ts";
import { askBuckets, type Bucket, boundLimit } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { defineSendStep, type OriginBucket, type OriginLimits } from "./define-send-step.ts";
import { guessLimit, sendLimit } from "./verify.policy.ts";

export interface SendLimitSettings {
  /** Sends a minute from one source address. Undefined: the tier's limit of requests is the only one. */
  readonly sourceSendsPerMinute: number | undefined;
  /** Sends an hour for one end user's address. */
  readonly endUserSendsPerHour: number;
}

export interface SendOrigin {
  readonly workspaceId: string;
  /** The address that the call came from. */
  readonly clientAddress: string | undefined;
  /** The end user's address as limits count it (`limitKeyOf`). Undefined: the start named none. */
  readonly endUserKey: string | undefined;
}

/**
 * The limits of a send by its origin. Sources are counted as requests are, in batches: a row of the throttle would be locked by each
 * start until its commit, and the starts of a customer with one server would wait for each other.
 */
export function originLimitsOf(settings: SendLimitSettings, origin: SendOrigin): OriginLimits {
  const { sourceSendsPerMinute: limitPerMinute, endUserSendsPerHour } = settings;
  const { workspaceId, clientAddress, endUserKey } = origin;
  const endUser = (key: string): OriginBucket => ({
    bucket: "end_user",
    key: `end-user:${key}`,
    limit: { burst: endUserSendsPerHour, periodSeconds: 3_600 / endUserSendsPerHour },
    message: "Too many codes for this end user. Try again later.",
  });
  return {
    source:
      limitPerMinute === undefined
        ? undefined
        : { workspaceId, key: `source:${limitKeyOf(clientAddress)}`, limitPerMinute },
    buckets: endUserKey === undefined ? [] : [endUser(endUserKey)],
  };
}

/** SQL of the throttle's key that counts wrong codes for a recipient. Takes SQL of the mode and of a limit index. */
export const guessKey = (mode: string, index: string) => `('guess:' || ${mode} || ':' || ${index})`;

/** The throttle's keys of a recipient: one for each of its limit indexes. */
const keysOf = (kind: "guess" | "send", mode: Mode, limitIndexes: readonly string[]) =>
  limitIndexes.map((index) => `${kind}:${mode}:${index}`);

/** Burst and seconds are parameters of their own: as elements of arrays they cost a start 3 % more. */
const parameters = {
  accountKeys: optional(array(text)),
  accountBurst: optional(integer),
  accountSeconds: optional(double),
  endUserKeys: optional(array(text)),
  endUserBurst: optional(integer),
  endUserSeconds: optional(double),
  guessKeys: array(text),
  sendKeys: array(text),
};

/** The buckets that only some sends ask. All sends ask `guesses` and `recipient`. */
type LimitsPart = OriginBucket["bucket"] | "unverified";

/** What the step saw before it took a token. Null: no bucket was empty. */
type LimitsRow = { readonly emptyBucket: string | null; readonly waitSeconds: number | null };

/**
 * Takes a token from the bucket of the account, of the end user and of the recipient, in that order. Of the bucket that counts
 * wrong codes for the recipient (`guesses`) it only asks whether it has one.
 */
export const limitsStep = defineSendStep({
  name: "limits",
  parameters,
  parts: ({ originLimits, sharesRecipientLimit }): LimitsPart[] => [
    ...originLimits.buckets.map(({ bucket }) => bucket),
    ...(sharesRecipientLimit ? (["unverified"] as const) : []),
  ],
  values({ originLimits, mode, limitIndexes }) {
    const account = originLimits.buckets.find(({ bucket }) => bucket === "account");
    const endUser = originLimits.buckets.find(({ bucket }) => bucket === "end_user");
    return {
      accountKeys: account && [account.key],
      accountBurst: account?.limit.burst,
      accountSeconds: account?.limit.periodSeconds,
      endUserKeys: endUser && [endUser.key],
      endUserBurst: endUser?.limit.burst,
      endUserSeconds: endUser?.limit.periodSeconds,
      guessKeys: keysOf("guess", mode, limitIndexes),
      sendKeys: keysOf("send", mode, limitIndexes),
    };
  },
  sql(p, { parts, reached }) {
    const { workspaceId, guessKeys, sendKeys } = p;
    const buckets: Bucket[] = [];
    if (parts.includes("account")) {
      const [keys, limit] = [p.accountKeys, boundLimit(p.accountBurst, p.accountSeconds)];
      buckets.push({ name: "account", workspaceId, keys, limit, isTaken: true });
    }
    if (parts.includes("end_user")) {
      const [keys, limit] = [p.endUserKeys, boundLimit(p.endUserBurst, p.endUserSeconds)];
      buckets.push({ name: "end_user", workspaceId, keys, limit, isTaken: true });
    }
    buckets.push(
      { name: "guesses", workspaceId, keys: guessKeys, limit: guessLimit, isTaken: false },
      { name: "recipient", workspaceId, keys: sendKeys, limit: sendLimit, isTaken: true },
    );
    if (parts.includes("unverified")) {
      buckets.push({ name: "unverified", workspaceId: "'ws_byond'", keys: sendKeys, limit: sendLimit, isTaken: true });
    }
    const { ctes, allTaken } = askBuckets(buckets, reached);
    return {
      ctes,
      passed: allTaken,
      columns: { empty_bucket: "(SELECT bucket FROM wait)", wait_seconds: "(SELECT seconds FROM wait)" },
    };
  },
  refusal({ emptyBucket, waitSeconds }: LimitsRow, { originLimits }) {
    // If no bucket was empty before, a call at the same moment took the last token. It comes back within a minute.
    const limit = originLimits.buckets.find(({ bucket }) => bucket === emptyBucket);
    const message = limit?.message ?? "Too many verifications for this recipient. Try again later.";
    return new AppError("rate_limited", message, { retryAfterSeconds: waitSeconds ?? 60 });
  },
});
