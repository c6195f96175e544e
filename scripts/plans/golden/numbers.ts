import type { PackageData, Plan } from "../package-data.ts";

/** A text and the region whose national form it may have, or an empty one. */
export type NumberToParse = readonly [text: string, region: string];

/**
 * The numbers of the golden file: every example of the plans, with calling code and without, and changes of it that keep its beginning, so that
 * most are near the edges of ranges. The same ones each time.
 */
export function numbersOf({ regions, international }: PackageData): NumberToParse[] {
  const plans = [...Object.entries(regions), ...Object.values(international).map((plan): [string, Plan] => ["", plan])];
  const all = plans.flatMap(([region, plan]) =>
    plan.types.flatMap((type) => (type?.example ? numbersLike(type.example, region, plan) : [])),
  );
  return [...new Map(all.map((number) => [number.join("\t"), number])).values()];
}

function numbersLike(example: string, region: string, { callingCode, nationalPrefix }: Plan): NumberToParse[] {
  const changed = [
    example,
    example.slice(0, -1),
    example.slice(0, -3),
    `${example}0`,
    `${example}12`,
    ...[0, 1, 2].flatMap((index) => otherDigits(example, index)),
    ...[1, 2, 3, 4].map((seed) => withOtherEnd(example, 3, seed)),
    ...[5, 6, 7].map((seed) => withOtherEnd(example, 2, seed)),
  ];
  const national = region === "" ? [] : [example, `${nationalPrefix ?? ""}${example}`, `${example};ext=12`];
  return [
    ...changed.map((digits): NumberToParse => [`+${callingCode}${digits}`, ""]),
    ...national.map((digits): NumberToParse => [digits, region]),
  ];
}

/** The number with each third of the other digits in a place. */
function otherDigits(digits: string, index: number): string[] {
  const digit = Number(digits[index]);
  return [1, 4, 7, 9].map((step) => digits.slice(0, index) + ((digit + step) % 10) + digits.slice(index + 1));
}

/** As many digits, of which the first ones stay. */
function withOtherEnd(digits: string, kept: number, seed: number): string {
  return (digits.slice(0, kept) + pseudoRandomDigits(digits, seed)).slice(0, digits.length);
}

/** Fifteen digits that depend on the number only. */
function pseudoRandomDigits(digits: string, seed: number): string {
  let state = BigInt(digits) + BigInt(seed);
  let found = "";
  while (found.length < 15) {
    // A linear congruential generator (Knuth's MMIX), whose high bits are used.
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    found += String(state >> 40n).slice(-4);
  }
  return found;
}
