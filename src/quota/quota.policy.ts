/**
 * The numbers of the request quota, each once; `docs/decisions/0008-request-quota.md` argues for them. The limits of requests
 * a minute are in `access/tiers.ts`.
 */

/** How long a batch of tokens must be usable at least: one reserved at the very end of a second is charged to the next. */
export const minBatchLifeMs = 50;

/** How long at most. A row has 9 buckets for the seconds ahead. */
export const maxBatchLifeMs = 9_000;

/** Divides the limit: with less than that charged, batches may live for `maxBatchLifeMs`. */
export const lowUseDivisor = 2;

/** Divides the limit: such a long batch holds that many tokens at most. */
export const longBatchDivisor = 100;

/** Divides what is left of the limit: that many tokens at most are for requests to come. */
export const spareDivisor = 4;

/** How often a batch is reserved again because it had expired before it arrived, the first time included. */
export const maxReservations = 3;
