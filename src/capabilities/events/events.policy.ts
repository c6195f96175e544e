/** The numbers in the rules of events. `test/capabilities/policy.test.ts` compares the schema with them. */

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** Days. */
export const retention = { min: 1, max: 3_650, default: 30 } as const;

/** Streams of events. */
export const streaming = {
  /** How long a stream is silent at the most. */
  heartbeatMs: 10_000,
  /** That one workspace can have open on one server. */
  maxPerWorkspace: 1_000,
  /** Events that a server keeps for all of its streams, and for how long. */
  windowSize: 1_000,
  windowMs: 10_000,
  /** Events that a stream reads from the table at once. */
  pageSize: 100,
  retryMs: 1_000,
} as const;
