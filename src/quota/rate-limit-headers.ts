import type { QuotaResult } from "./quota-share.ts";

/** A limit under the name that clients see. */
export interface NamedQuota {
  /** Letters, digits and hyphens: `workspace`, `key`. */
  readonly name: string;
  readonly result: QuotaResult;
}

const windowSeconds = 60;

/**
 * The headers of a response about the limits that its request was counted against, on success and on 429:
 *
 * - `X-RateLimit-Limit`, `-Remaining` and `-Reset` of the limit that has the least left. `Reset` is a Unix time in
 *   seconds, as the widespread implementations of these three send it.
 * - `RateLimit-Policy` and `RateLimit` of every limit (draft-ietf-httpapi-ratelimit-headers-10). The `t` of a limit that
 *   refuses is what `Retry-After` says, and never more than the window, which the quota counts a few seconds longer.
 *
 * Empty without a limit. `Retry-After` comes with the error.
 */
export function rateLimitHeaders(quotas: readonly NamedQuota[], now: Date): Record<string, string> {
  const tightest = findTightest(quotas);
  if (tightest === undefined) {
    return {};
  }
  return {
    "X-RateLimit-Limit": String(tightest.limit),
    "X-RateLimit-Remaining": String(tightest.remaining),
    "X-RateLimit-Reset": String(Math.ceil(now.getTime() / 1_000) + secondsUntilMore(tightest)),
    "RateLimit-Policy": listed(quotas, ({ name, result }) => `"${name}";q=${result.limit};w=${windowSeconds}`),
    RateLimit: listed(quotas, ({ name, result }) => `"${name}";r=${result.remaining};t=${effectiveWindow(result)}`),
  };
}

/** A list of RFC 9651. Most callers have one limit. */
function listed(quotas: readonly NamedQuota[], member: (quota: NamedQuota) => string): string {
  let list = "";
  for (const quota of quotas) {
    list += list === "" ? member(quota) : `, ${member(quota)}`;
  }
  return list;
}

/** Seconds until a request is admitted again, if this one was refused; otherwise until all of the limit is free. */
function secondsUntilMore({ resetSeconds, retryAfterSeconds }: QuotaResult): number {
  return retryAfterSeconds ?? resetSeconds;
}

function effectiveWindow(result: QuotaResult): number {
  return Math.min(windowSeconds, secondsUntilMore(result));
}

/** The limit that refuses, if one does; otherwise the one with the least left. */
function findTightest(quotas: readonly NamedQuota[]): QuotaResult | undefined {
  let tightest: QuotaResult | undefined;
  for (const { result } of quotas) {
    if (!result.admitted) {
      return result;
    }
    if (tightest === undefined || result.remaining < tightest.remaining) {
      tightest = result;
    }
  }
  return tightest;
}
