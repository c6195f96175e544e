import { type CountryCode, isKnownRegion, type NumberType } from "../../text/numbering-plans.ts";
import { extractPossibleNumber, parsePhoneNumber } from "../../text/phone-number.ts";
import type { DescribeNumber, NumberDetails } from "./number-details.ts";

export type LineType = "mobile" | "fixed_line" | "voip" | "toll_free" | "unknown";

export interface LookupInput {
  readonly number: string;
  /** The region of a number in national form. */
  readonly country: CountryCode | undefined;
}

export interface LookupResult {
  /** The number as it was sent. */
  readonly input: string;
  /** Null if the number cannot be parsed. */
  readonly e164: string | null;
  readonly valid: boolean;
  readonly possible: boolean;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string | null;
  /** In English. */
  readonly country: string | null;
  readonly nationalFormat: string | null;
  readonly lineType: LineType;
  /** Every kind of line that the number may be. */
  readonly possibleLineTypes: readonly LineType[];
  /** What was asked for beyond that. */
  readonly details?: NumberDetails;
}

const unparseable: Omit<LookupResult, "input" | "details"> = {
  e164: null,
  valid: false,
  possible: false,
  countryCode: null,
  country: null,
  nationalFormat: null,
  lineType: "unknown",
  possibleLineTypes: [],
};

/**
 * Describes a phone number, from the numbering plans of libphonenumber. `describe` adds what was asked for beyond the usual fields: it comes from
 * `describeFields`, once for any number of numbers.
 */
export function lookupNumber(input: LookupInput, describe?: DescribeNumber): LookupResult {
  const text = extractPossibleNumber(input.number);
  const number = parsePhoneNumber(text, input.country);
  if (number === undefined) {
    const details = describe?.({ number, text, country: input.country, valid: false });
    return { input: input.number, ...unparseable, ...(details && { details }) };
  }
  const valid = number.isValid();
  const details = describe?.({ number, text, country: input.country, valid });
  const possibleLineTypes = valid ? lineTypesOf(number.getType()) : [];
  const [onlyType, ...otherTypes] = possibleLineTypes;
  return {
    input: input.number,
    e164: number.number,
    valid,
    possible: number.isPossible(),
    countryCode: number.country ?? null,
    country: number.country === undefined ? null : countryName(number.country),
    nationalFormat: number.formatNational(),
    lineType: onlyType !== undefined && otherTypes.length === 0 ? onlyType : "unknown",
    possibleLineTypes,
    ...(details && { details }),
  };
}

/** Parses an ISO 3166-1 alpha-2 code in upper or lower case. Undefined if the region is not known. */
export function parseRegion(country: string): CountryCode | undefined {
  // Some letters of other alphabets have an upper case in A–Z, such as ſ.
  const region = /^[A-Za-z]{2}$/.test(country) ? country.toUpperCase() : "";
  return isKnownRegion(region) ? region : undefined;
}

function lineTypesOf(type: NumberType): readonly LineType[] {
  switch (type) {
    case "MOBILE":
      return ["mobile"];
    case "FIXED_LINE":
      return ["fixed_line"];
    case "FIXED_LINE_OR_MOBILE":
      return ["mobile", "fixed_line"];
    case "VOIP":
      return ["voip"];
    case "TOLL_FREE":
      return ["toll_free"];
    case undefined:
      return [];
    default:
      return ["unknown"];
  }
}

const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** Cached because `Intl.DisplayNames.of` takes as long as a lookup. One entry a region at most. */
const knownNames = new Map<CountryCode, string | null>();

/** The English name of a region, or null for one that has none (`001`, the international networks). */
export function countryName(code: CountryCode): string | null {
  let name = knownNames.get(code);
  if (name === undefined) {
    name = /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? null) : null;
    knownNames.set(code, name);
  }
  return name;
}
