/** The rules of exports that have a number. `test/capabilities/policy.test.ts` compares the schema with them. */
export const pageSize = { min: 1, max: 100, default: 20 } as const;
