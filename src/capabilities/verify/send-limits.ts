import type { Mode } from "../../access/caller.ts";
import { array, double, integer, optional, text } from "../../database/statement.ts";
import { askBuckets, type Bucket, boundLimit } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import type { Quota } from "../../quota/quota.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { defineSendStep, type OriginLimit } from "./define-send-step.ts";
import type { EndUser } from "./end-user.ts";
import { guessLimit, sendLimit } from "./verify.policy.ts";

export interface SendLimitSettings {
  /** Sends a minute from one source address. Undefined: the tier's limit of requests is the only one. */
  readonly sourceSendsPerMinute: number | undefined;
  /** Sends an hour for one end user: for their address, and for their device. */
  readonly endUserSendsPerHour: number;
}

/**
 * Counts a send against the limit of the address that the call came from. The count is taken back if nothing is sent: `send` throws,
 * or calls `takeBack`. It is counted as requests are, in batches: each start would lock a row of the throttle until its commit, and
 * the starts of a customer with one server would wait for each other.
 *
 * Call it before a transaction begins, because it may need a connection. Throws `rate_limited`.
 */
export async function countSource<T>(
  { quota, sendLimits }: { readonly quota: Pick<Quota, "admit">; readonly sendLimits: SendLimitSettings },
  { workspaceId, clientAddress }: { readonly workspaceId: string; readonly clientAddress: string | undefined },
  send: (takeBack: () => void) => Promise<T>,
): Promise<T> {
  const limitPerMinute = sendLimits.sourceSendsPerMinute;
  if (limitPerMinute === undefined) {
    return send(() => undefined);
  }
  const key = `source:${limitKeyOf(clientAddress)}`;
  const { result, release } = await quota.admit({ workspaceId, key, limitPerMinute });
  if (!result.admitted) {
    const retryAfterSeconds = result.retryAfterSeconds ?? 1;
    throw new AppError("rate_limited", "Too many codes from this IP address. Try again later.", { retryAfterSeconds });
  }
  let isCounted = true;
  const takeBack = () => {
    if (isCounted) {
      isCounted = false;
      release();
    }
  };
  try {
    return await send(takeBack);
  } catch (error) {
    // If the outcome is not known, the code may have been sent.
    if (error instanceof AppError && error.code !== "outcome_unknown") {
      takeBack();
    }
    throw error;
  }
}

/** The limit of an end user, which their address and their device have each of their own. None if the start named neither. */
export function endUserLimits(
  { endUserSendsPerHour }: SendLimitSettings,
  { addressKey, deviceIndexes }: Pick<EndUser, "addressKey" | "deviceIndexes">,
): readonly OriginLimit[] {
  const keys = [
    ...(addressKey === undefined ? [] : [`end-user:${addressKey}`]),
    ...deviceIndexes.map((index) => `device:${index}`),
  ];
  if (keys.length === 0) {
    return [];
  }
  const limit = { burst: endUserSendsPerHour, periodSeconds: 3_600 / endUserSendsPerHour };
  const message = "Too many codes for this end user. Try again later.";
  return [{ bucket: "end_user", keys, limit, message }];
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
  countryKeys: optional(array(text)),
  countryBurst: optional(integer),
  countrySeconds: optional(double),
  rangeKeys: optional(array(text)),
  rangeBurst: optional(integer),
  rangeSeconds: optional(double),
  guessKeys: array(text),
  sendKeys: array(text),
};

/** The buckets that only some sends ask. All sends ask `guesses` and `recipient`. */
type LimitsPart = OriginLimit["bucket"] | "unverified";

/** What the step saw before it took a token. Null: no bucket was empty. */
type LimitsRow = {
  readonly emptyBucket: string | null;
  readonly waitSeconds: number | null;
  /** The bucket that had no token when it was asked: a call at the same moment took the last one. Only if there are origin limits. */
  readonly missedBucket?: string | null;
};

/**
 * Takes a token from the bucket of the account, of the end user and of the recipient, in that order. Of the bucket that counts
 * wrong codes for the recipient (`guesses`) it only asks whether it has one.
 */
export const limitsStep = defineSendStep({
  name: "limits",
  parameters,
  parts: ({ originLimits, sharesRecipientLimit }): LimitsPart[] => [
    ...originLimits.map(({ bucket }) => bucket),
    ...(sharesRecipientLimit ? (["unverified"] as const) : []),
  ],
  values({ originLimits, mode, limitIndexes }) {
    const account = originLimits.find(({ bucket }) => bucket === "account");
    const endUser = originLimits.find(({ bucket }) => bucket === "end_user");
    const country = originLimits.find(({ bucket }) => bucket === "country");
    const range = originLimits.find(({ bucket }) => bucket === "number_range");
    return {
      accountKeys: account?.keys,
      accountBurst: account?.limit.burst,
      accountSeconds: account?.limit.periodSeconds,
      endUserKeys: endUser?.keys,
      endUserBurst: endUser?.limit.burst,
      endUserSeconds: endUser?.limit.periodSeconds,
      countryKeys: country?.keys,
      countryBurst: country?.limit.burst,
      countrySeconds: country?.limit.periodSeconds,
      rangeKeys: range?.keys,
      rangeBurst: range?.limit.burst,
      rangeSeconds: range?.limit.periodSeconds,
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
    if (parts.includes("country")) {
      const [keys, limit] = [p.countryKeys, boundLimit(p.countryBurst, p.countrySeconds)];
      buckets.push({ name: "country", workspaceId, keys, limit, isTaken: true });
    }
    if (parts.includes("number_range")) {
      const [keys, limit] = [p.rangeKeys, boundLimit(p.rangeBurst, p.rangeSeconds)];
      buckets.push({ name: "number_range", workspaceId, keys, limit, isTaken: true });
    }
    buckets.push(
      { name: "guesses", workspaceId, keys: guessKeys, limit: guessLimit, isTaken: false },
      { name: "recipient", workspaceId, keys: sendKeys, limit: sendLimit, isTaken: true },
    );
    if (parts.includes("unverified")) {
      buckets.push({ name: "unverified", workspaceId: "'ws_byond'", keys: sendKeys, limit: sendLimit, isTaken: true });
    }
    const { ctes, allTaken, changes } = askBuckets(buckets, reached);
    return {
      ctes,
      passed: allTaken,
      changes,
      columns: {
        empty_bucket: "(SELECT bucket FROM wait)",
        wait_seconds: "(SELECT seconds FROM wait)",
        ...(parts.some((part) => part !== "unverified") ? { missed_bucket: firstMissing(buckets) } : {}),
      },
    };
  },
  refusal({ emptyBucket, waitSeconds, missedBucket = null }: LimitsRow, { originLimits }) {
    // If no bucket was empty before, a call at the same moment took the last token. The next one comes back within the limit's period.
    const limit = originLimits.find(({ bucket }) => bucket === (emptyBucket ?? missedBucket));
    const message = limit?.message ?? "Too many verifications for this recipient. Try again later.";
    return new AppError("rate_limited", message, {
      retryAfterSeconds: waitSeconds ?? Math.ceil(limit?.limit.periodSeconds ?? 60),
      ...(limit?.reason === undefined ? {} : { reason: limit.reason }),
    });
  },
});

/** SQL of the first of the buckets that did not give a token for each of its keys. */
function firstMissing(buckets: readonly Bucket[]): string {
  const taken = buckets.filter(({ isTaken }) => isTaken);
  const given = (name: string) => `(SELECT count(*) FROM ${name}_token)`;
  return `CASE ${taken.map(({ name, keys }) => `WHEN ${given(name)} < cardinality(${keys}) THEN '${name}'`).join(" ")} END`;
}
