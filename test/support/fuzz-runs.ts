import { inject } from "vitest";

/** How many inputs a fuzz test makes: enough to notice a mistake in `npm test`, all that it promises in `npm run test:all`. */
export function fuzzRuns({ short, long }: { readonly short: number; readonly long: number }): number {
  return inject("fuzzing") === "long" ? long : short;
}
