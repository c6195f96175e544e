import type { HandlerContext } from "@connectrpc/connect";
import { anyCaller, type Caller, type KeyCaller } from "../access/caller.ts";
import { publishableRequestsPerMinute } from "../access/publishable-keys.ts";
import { requestsPerMinuteByTier } from "../access/tiers.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { clientAddressKey, limitKeyOf } from "../server/client-address.ts";
import type { Quota } from "./quota.ts";
import type { QuotaResult } from "./quota-share.ts";
import type { QuotaSubject } from "./quota-store.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";

/**
 * Counts a request against the limits of its key and of its workspace, and sets the rate limit headers of the response.
 * Throws `rate_limited` if one of the limits is reached; then neither counts the request.
 */
export function countRequest(
  deps: { readonly quota: Quota; readonly clock: Clock },
  caller: Caller,
  context: HandlerContext,
): Awaitable<void> {
  const limits = limitsOf(caller, context);
  return whenReady(deps.quota.admitAll(limits.subjects), (results) => {
    setHeaders(limits, results, deps.clock, context);
    const last = results.at(-1);
    if (last?.admitted === false) {
      throw new AppError("rate_limited", "Too many requests. Try again later.", {
        retryAfterSeconds: last.retryAfterSeconds ?? 1,
      });
    }
  });
}

/**
 * Counts more requests against the same limits, for a call that is as much work as several, and sets the headers anew. Throws
 * `rate_limited` if there is no room for all of them; then nearly none counts, and `retry_after` is when all of the limit is free.
 */
export async function countMoreRequests(
  deps: { readonly quota: Quota; readonly clock: Clock },
  context: HandlerContext,
  count: number,
): Promise<void> {
  const limits = limitsOf(anyCaller(context), context);
  const tooLow = limits.subjects.findIndex(({ limitPerMinute }) => limitPerMinute <= count);
  if (tooLow !== -1) {
    const [name, limit] = [limits.names[tooLow], limits.subjects[tooLow]?.limitPerMinute];
    throw new AppError(
      "rate_limited",
      `This call counts as ${count + 1} requests, and the limit of the ${name} is ${limit} per minute. Send less at once.`,
      { retryAfterSeconds: 60 },
    );
  }
  const results = await deps.quota.admitTimes(limits.subjects, count);
  setHeaders(limits, results, deps.clock, context);
  const last = results.at(-1);
  if (last?.admitted === false) {
    throw new AppError(
      "rate_limited",
      `Too many requests: this call counts as ${count + 1}. Try again later, or send less at once.`,
      { retryAfterSeconds: Math.max(1, last.resetSeconds) },
    );
  }
}

/** The part of each limit that work in the background leaves to other calls. */
const shareOfOtherCalls = 1 / 4;

/**
 * Counts as many of `count` requests as there is room for, for work in the background: a quarter of each limit is left to other calls, which
 * would be refused otherwise for as long as it lasts. Returns how many were counted.
 */
export async function countSpareRequests(
  { quota }: { readonly quota: Quota },
  context: HandlerContext,
  count: number,
): Promise<number> {
  const { subjects } = limitsOf(anyCaller(context), context);
  let spare = count;
  for (const subject of subjects) {
    // Admitted to learn what remains, and released.
    const { result, release } = await quota.admit(subject);
    release();
    const remaining = result.admitted ? result.remaining + 1 : 0;
    spare = Math.min(spare, remaining - Math.floor(result.limit * shareOfOtherCalls));
  }
  if (spare <= 0) {
    return 0;
  }
  const results = await quota.admitTimes(subjects, spare);
  return results.at(-1)?.admitted === false ? 0 : spare;
}

function setHeaders(
  { names }: Limits,
  results: readonly QuotaResult[],
  clock: Clock,
  { responseHeader }: HandlerContext,
): void {
  const named = results.map((result, index) => ({ name: names[index] ?? "", result }));
  const headers = rateLimitHeaders(named, clock.now());
  for (const name in headers) {
    responseHeader.set(name, headers[name] ?? "");
  }
}

/** The limits of a caller. `names`: those that clients see, in the order of the subjects. */
interface Limits {
  readonly names: readonly string[];
  readonly subjects: readonly QuotaSubject[];
}

/** Of keys: all calls with one have the same caller, as long as the key is remembered. */
const limitsOfKeys = new WeakMap<Caller, Limits>();

function limitsOf(caller: Caller, context: Pick<HandlerContext, "values">): Limits {
  if (caller.kind === "key" && caller.origins !== null) {
    return publishableLimits(caller, context.values.get(clientAddressKey));
  }
  const known = limitsOfKeys.get(caller);
  if (known !== undefined) {
    return known;
  }
  const limits = readLimits(caller);
  if (caller.kind === "key") {
    limitsOfKeys.set(caller, limits);
  }
  return limits;
}

function readLimits(caller: Caller): Limits {
  const { workspaceId } = caller;
  const names: string[] = [];
  const subjects: QuotaSubject[] = [];
  if (caller.kind === "key" && caller.requestsPerMinute !== null) {
    names.push("key");
    subjects.push({ workspaceId, key: `key:${caller.keyId}`, limitPerMinute: caller.requestsPerMinute });
  }
  const perMinute = requestsPerMinuteByTier[caller.tier];
  if (perMinute !== null) {
    names.push("workspace");
    subjects.push({ workspaceId, key: "workspace", limitPerMinute: perMinute });
  }
  return { names, subjects };
}

/**
 * Anybody can take a publishable key out of a page: its requests take nothing from those of the workspace's servers. All such keys together have the
 * limit of the workspace once more.
 */
function publishableLimits(caller: KeyCaller, clientAddress: string | undefined): Limits {
  const { workspaceId, keyId, requestsPerMinute, tier } = caller;
  const { key, source } = publishableRequestsPerMinute;
  const perMinute = requestsPerMinuteByTier[tier];
  return {
    names: ["source", "key", "publishable-keys"],
    subjects: [
      { workspaceId, key: `publishable-source:${limitKeyOf(clientAddress)}`, limitPerMinute: source },
      { workspaceId, key: `key:${keyId}`, limitPerMinute: requestsPerMinute ?? key },
      ...(perMinute === null ? [] : [{ workspaceId, key: "publishable-keys", limitPerMinute: perMinute }]),
    ],
  };
}
