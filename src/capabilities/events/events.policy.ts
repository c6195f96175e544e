/** The numbers in the rules of events. `test/capabilities/policy.test.ts` compares the schema with them. */

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** Days. */
export const retention = { min: 1, max: 3_650, default: 30 } as const;
