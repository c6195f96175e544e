import type { CountryCode } from "../../../text/numbering-plans.ts";
import { type LookupResult, lookupNumber, parseRegion } from "../lookup-number.ts";
import type { DescribeNumber } from "../number-details.ts";

/** A number of a list, as the client gave it. */
export interface LookupItem {
  readonly number: string;
  readonly country?: string | undefined;
  readonly reference?: string | undefined;
}

/** What is known about the number, or what is wrong with the item, by field. */
export type ItemResult =
  | { readonly kind: "lookup"; readonly lookup: LookupResult }
  | { readonly kind: "problems"; readonly problems: Readonly<Record<string, string>> };

/** In characters. The number's is that of the single call. */
export const longest = { number: 250, reference: 100 } as const;

const unknownCountry = "must be an ISO 3166-1 alpha-2 country code, such as SG";

/** Looks up a number of a list. What is wrong with it is a result: it must not fail the others. */
export function lookUpItem(
  item: LookupItem,
  defaultCountry: CountryCode | undefined,
  describe?: DescribeNumber,
): ItemResult {
  const country = item.country === undefined ? defaultCountry : parseRegion(item.country);
  if (
    item.number === "" ||
    item.number.length > longest.number ||
    (item.reference !== undefined && item.reference.length > longest.reference) ||
    (item.country !== undefined && country === undefined)
  ) {
    const problems = problemsOf(item);
    if (Object.keys(problems).length > 0) {
      return { kind: "problems", problems };
    }
  }
  return { kind: "lookup", lookup: lookupNumber({ number: item.number, country }, describe) };
}

function problemsOf({ number, country, reference = "" }: LookupItem): Record<string, string> {
  return {
    ...(number === "" ? { number: "is required" } : {}),
    ...(isLonger(number, longest.number) ? { number: `must be at most ${longest.number} characters` } : {}),
    ...(country !== undefined && parseRegion(country) === undefined ? { country: unknownCountry } : {}),
    ...(isLonger(reference, longest.reference) ? { reference: `must be at most ${longest.reference} characters` } : {}),
  };
}

/** Counts characters as the schema does: a pair of surrogates is one. */
function isLonger(text: string, max: number): boolean {
  return text.length > max && [...text].length > max;
}
