/** The numbers of `Idempotency-Key`, each once. The reference is compared with them by `test/capabilities/policy.test.ts`. */

/** How long a key and its answer are kept, after the first call. */
export const keptHours = 24;

/** In characters, of a key without its quotation marks. */
export const keyLength = { min: 1, max: 255 } as const;

/** How long a call may take before a repetition may take its claim over. Longer than any call lasts. */
export const defaultClaimSeconds = 60;

/** How often a slot is claimed and read: it may be released between the two. */
export const maxClaimAttempts = 3;
