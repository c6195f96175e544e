import { setTimeout as wait } from "node:timers/promises";
import type { HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../../../clock.ts";
import { countMoreRequests, countSpareRequests } from "../../../quota/count-request.ts";
import type { Quota } from "../../../quota/quota.ts";

/** Numbers of a list that count as one request. A number of a list takes less than a fifth of the CPU of a call with one. */
const numbersPerRequest = 10;

export interface ChargeDependencies {
  readonly quota: Quota;
  readonly clock: Clock;
}

const requestsOf = (numbers: number) => Math.ceil(numbers / numbersPerRequest);

/** Counts the numbers of a call that has counted as one request already. Throws `rate_limited` if there is no room for all of them. */
export async function chargeBatch(deps: ChargeDependencies, context: HandlerContext, numbers: number): Promise<void> {
  const more = requestsOf(numbers) - 1;
  if (more > 0) {
    await countMoreRequests(deps, context, more);
  }
}

/** How often a stream looks whether there is room. */
const askedEveryMs = 1_000;

/**
 * Counts the numbers of a message of a stream as there is room for them: so a stream gets through with any limit, and does not need all of it at
 * once. It leaves a part of the limits to other calls. `isPaidInPart`: the call itself has counted as one request already.
 */
export async function chargeWhenPossible(
  deps: ChargeDependencies,
  context: HandlerContext,
  { numbers, isPaidInPart }: { readonly numbers: number; readonly isPaidInPart: boolean },
): Promise<void> {
  let left = requestsOf(numbers) - (isPaidInPart ? 1 : 0);
  while (left > 0) {
    left -= await countSpareRequests(deps, context, left);
    if (left > 0) {
      await wait(askedEveryMs, undefined, { signal: context.signal });
    }
  }
}
