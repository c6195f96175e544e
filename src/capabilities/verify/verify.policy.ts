/**
 * The rules of verifications that have a number, each once. What the schema says of them is compared with these by
 * `test/capabilities/policy.test.ts`.
 */
import { constantLimit } from "../../database/throttle.ts";

/** In digits. Codes of the server's own accounts are longer: strangers can make accounts with an address, each with guesses of its own. */
export const codeLength = { min: 4, max: 10, default: 6, ofAccounts: 8 } as const;

export const ttlSeconds = { min: 30, max: 3_600, default: 300, ofAccounts: 900 } as const;

/** In characters. */
export const brandLength = { min: 1, max: 40 } as const;

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** Wrong codes that lock a verification. */
export const maxAttempts = 5;

/** Messages that carry a verification's code, that of the start included. */
export const maxSends = 5;

/** Codes sent to one recipient, by starts and resends: three at once, then one a minute. */
export const sendLimit = constantLimit({ burst: 3, periodSeconds: 60 });

/** Wrong codes for one recipient, across verifications: a new code is not a new budget for guessing. */
export const guessLimit = constantLimit({ burst: 10, periodSeconds: 8_640 });

/** Codes for one account of the server: three at once, then one in a quarter of an hour. */
export const accountSendLimit = { burst: 3, periodSeconds: 900 } as const;

/** How long the server's own verifications, good for a quarter of an hour, are kept. Those of workspaces: `RETENTION_DAYS`. */
export const ownRetentionDays = 1;
