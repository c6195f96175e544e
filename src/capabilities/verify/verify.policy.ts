/** The numbers in the rules of verifications. `test/capabilities/policy.test.ts` compares the schema with them. */
import { constantLimit } from "../../database/throttle.ts";

/** In digits. Codes for accounts are longer: strangers can create many accounts with one address, each with guesses of its own. */
export const codeLength = { min: 4, max: 10, default: 6, ofAccounts: 8 } as const;

export const ttlSeconds = { min: 30, max: 3_600, default: 300, ofAccounts: 900 } as const;

/** In characters. */
export const brandLength = { min: 1, max: 40 } as const;

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** Wrong codes that lock a verification. */
export const maxAttempts = 5;

/** Messages with the code of one verification, including that of the start. */
export const maxSends = 5;

/** Steps of the `fallback` of a start. */
export const maxFallbackSteps = 3;

/** How long a step of the `fallback` waits for the message before it. */
export const fallbackAfterSeconds = { min: 5, max: 600, default: 30 } as const;

/** A step that a limit delays is refused if fewer than these seconds would be left to use the code. */
export const minUsefulSeconds = 10;

/** Steps of fallbacks that a server takes at the same time. */
export const fallbackPlaces = 20;

/** Sends to one recipient, by starts and resends: three at once, then one a minute. */
export const sendLimit = constantLimit({ burst: 3, periodSeconds: 60 });

/** Wrong codes for one recipient, across its verifications: a new code does not allow more guesses. */
export const guessLimit = constantLimit({ burst: 10, periodSeconds: 8_640 });

/** Sends for one account: three at once, then one in a quarter of an hour. */
export const accountSendLimit = { burst: 3, periodSeconds: 900 } as const;

/** How long the server's own verifications are kept (`RETENTION_DAYS` is for those of workspaces). They expire after 15 minutes. */
export const ownRetentionDays = 1;

/**
 * When a source of checks guesses codes of many verifications: so many had a wrong code from it within the window (which moves on by halves), and
 * `ratio` times as many as were approved. It is slowed then. An end user's device or address is that of few people; the address of whoever calls, and the API key, are
 * those of many, so that they need more of it, and become less slow.
 */
export const guessing = {
  windowSeconds: 3_600,
  ratio: 2,
  end_user: { verifications: 10, slowedSeconds: 3_600, checks: { burst: 3, periodSeconds: 20 } },
  caller: { verifications: 100, slowedSeconds: 900, checks: { burst: 30, periodSeconds: 1 } },
} as const;
