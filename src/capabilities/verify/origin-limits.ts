import { requestsPerMinuteByTier, type Tier } from "../../access/tiers.ts";
import type { ThrottleLimit } from "../../database/throttle.ts";
import { limitKeyOf } from "../../server/client-address.ts";

/** A bucket of the throttle that a send consumes a token of. */
export interface SendLimit {
  readonly bucket: "source" | "end_user";
  /** The throttle's key within the workspace. */
  readonly key: string;
  readonly limit: ThrottleLimit;
  /** What the client reads when there is no token. */
  readonly message: string;
}

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
export function sendLimitsOf(settings: SendLimitSettings, origin: SendOrigin): SendLimit[] {
  const limits: SendLimit[] = [];
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
