/** The numbers in the rules of fixed codes. `test/capabilities/policy.test.ts` compares the schema with them. */

/** Of one workspace, at the same time. */
export const maxFixedCodes = 10;

/** Until a fixed code ends. */
export const fixedCodeDays = { min: 1, max: 30, default: 14 } as const;
