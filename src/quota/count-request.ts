import type { HandlerContext } from "@connectrpc/connect";
import type { Caller } from "../access/caller.ts";
import { requestsPerMinuteByTier } from "../access/tiers.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Quota } from "./quota.ts";
import type { QuotaSubject } from "./quota-store.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";

/**
 * Counts a request against the limits of its key and of its workspace, and sets the rate limit headers of the response.
 * Throws `rate_limited` if one of the limits is reached; then neither counts the request.
 */
export async function countRequest(
  deps: { readonly quota: Quota; readonly clock: Clock },
  caller: Caller,
  context: HandlerContext,
): Promise<void> {
  const limits = limitsOf(caller);
  const results = await deps.quota.admitAll(limits.map(({ subject }) => subject));
  const named = results.flatMap((result, index) => {
    const name = limits[index]?.name;
    return name === undefined ? [] : [{ name, result }];
  });
  for (const [name, value] of Object.entries(rateLimitHeaders(named, deps.clock.now()))) {
    context.responseHeader.set(name, value);
  }
  const last = results.at(-1);
  if (last?.admitted === false) {
    throw new AppError("rate_limited", "Too many requests. Try again later.", {
      retryAfterSeconds: last.retryAfterSeconds ?? 1,
    });
  }
}

function limitsOf(caller: Caller): { readonly name: string; readonly subject: QuotaSubject }[] {
  const { workspaceId } = caller;
  const limits: { name: string; subject: QuotaSubject }[] = [];
  if (caller.kind === "key" && caller.requestsPerMinute !== null) {
    const subject = { workspaceId, key: `key:${caller.keyId}`, limitPerMinute: caller.requestsPerMinute };
    limits.push({ name: "key", subject });
  }
  const perMinute = requestsPerMinuteByTier[caller.tier];
  if (perMinute !== null) {
    limits.push({ name: "workspace", subject: { workspaceId, key: "workspace", limitPerMinute: perMinute } });
  }
  return limits;
}
