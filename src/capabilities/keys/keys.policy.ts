/**
 * The rules of API keys that have a number, each once. What the schema says of them is compared with these by
 * `test/capabilities/policy.test.ts`.
 */

/** In characters. */
export const nameLength = { min: 1, max: 100 } as const;

/** In characters, of the reason for a revocation. */
export const reasonLength = { max: 200 } as const;

/** Requests of a key in any 60 seconds, where it has a limit of its own. */
export const requestsPerMinute = { min: 1, max: 1_000_000 } as const;

/** How long the old secret works after a rotation. */
export const graceSeconds = { min: 0, max: 86_400, default: 0 } as const;

/** Keys a page. A list without a page size ends after the most. */
export const pageSize = { min: 1, max: 1_000 } as const;

/** How often the last use of keys is written, in milliseconds. The schema promises that it is at most ten seconds behind. */
export const lastUsedIntervalMs = 5_000;

/** Keys, by their prefix, whose row in the database a server remembers. */
export const maxRememberedKeys = 100_000;

/** Secrets that a server remembers to be right. */
export const maxRightSecrets = 100_000;

/** Secrets that a server remembers to be wrong: fewer and apart, so that wrong ones push no right one out. */
export const maxWrongSecrets = 10_000;

/** Comparisons of secrets with their argon2id hashes: how many run at once, and how many more may wait. */
export const hashing = { concurrency: 2, maxWaiting: 1_000 } as const;
