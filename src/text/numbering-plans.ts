import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CountryCode,
  getCountries as knownCountries,
  type MetadataJson,
  PhoneNumber,
  parsePhoneNumberFromString,
  validatePhoneNumberLength,
} from "libphonenumber-js/core";

export type { CountryCode, NumberType, PhoneNumber } from "libphonenumber-js/core";

/** Where the generated numbering plans are (decision 64). */
export const plansFolder = join(import.meta.dirname, "../../gen/plans");

/**
 * The numbering plans. libphonenumber-js is used with them and nothing else: those that it brings along are months older, and two forms of its
 * functions would give two answers for one number.
 */
const plans: MetadataJson = readPlanFile("numbering-plans.json");

/** The version of the numbering plans, which is the version of Google's libphonenumber that they belong to. */
export const plansVersion: string = readPlanFile("source.json").version;

// biome-ignore lint/suspicious/noExplicitAny: JSON.parse has this type, too
function readPlanFile(name: string): any {
  return JSON.parse(readFileSync(join(plansFolder, name), "utf8"));
}

/** Parses text that is a number as a whole. Undefined if it is not one, or not of a known plan. */
export function parseWholeNumber(text: string, country?: CountryCode): PhoneNumber | undefined {
  const options = country === undefined ? { extract: false } : { defaultCountry: country, extract: false };
  return parsePhoneNumberFromString(text, options, plans);
}

/** Why text is no number, or none of a length that its plan has. Undefined if it is one that has. */
export function lengthProblem(text: string, country?: CountryCode): ReturnType<typeof validatePhoneNumberLength> {
  const options = country === undefined ? { extract: false } : { defaultCountry: country, extract: false };
  return validatePhoneNumberLength(text, options, plans);
}

/** Whether there is a numbering plan for a region, in upper case. */
export function isKnownRegion(region: string): region is CountryCode {
  return Object.hasOwn(plans.countries, region);
}

/** Whether a calling code is that of an international network, whose numbers are of no region. */
export function isInternationalCode(callingCode: string): boolean {
  return Object.hasOwn(plans.nonGeographic, callingCode);
}

/** The regions that have a numbering plan. */
export function knownRegions(): CountryCode[] {
  return knownCountries(plans);
}

/** What the plans have beyond the form of libphonenumber-js, by calling code or region. */
const facts: {
  readonly localLengths: Readonly<Record<string, readonly number[]>>;
  readonly geographicMobile: readonly string[];
  readonly mobileTokens: Readonly<Record<string, string>>;
} = readPlanFile("facts.json");

/** Whether numbers as long as this one can be dialled within an area of its region, without the area code. */
export function isLocalLength({ country, countryCallingCode, nationalNumber }: PhoneNumber): boolean {
  const region = country ?? plans.country_calling_codes[countryCallingCode]?.[0];
  return region !== undefined && (facts.localLengths[region]?.includes(nationalNumber.length) ?? false);
}

/** Whether a valid number has an area code, or is otherwise bound to a place. */
export function isGeographic(number: PhoneNumber): boolean {
  const type = number.getType();
  return (
    type === "FIXED_LINE" ||
    type === "FIXED_LINE_OR_MOBILE" ||
    (type === "MOBILE" && facts.geographicMobile.includes(number.countryCallingCode))
  );
}

/** The digits of a number in E.164 form up to its area code and further, without what stands before the area code of mobile numbers. */
export function withoutMobileToken({ countryCallingCode, nationalNumber }: PhoneNumber): string {
  const token = facts.mobileTokens[countryCallingCode];
  const national =
    token !== undefined && nationalNumber.startsWith(token) ? nationalNumber.slice(token.length) : nationalNumber;
  return countryCallingCode + national;
}

/**
 * The region of a number, or those that it may be of, the main one first: several share a calling code, and the digits do not tell. None: no region
 * has the calling code.
 */
export function regionsOf({ country, countryCallingCode }: PhoneNumber): readonly CountryCode[] {
  return country === undefined
    ? (plans.country_calling_codes[countryCallingCode] ?? []).filter(isKnownRegion)
    : [country];
}

/** How a plan begins: with its calling code, prefix for calls abroad, pattern, lengths, formats and trunk prefix. */
type PlanHead = readonly [string, string, string, readonly number[], unknown, (string | 0)?];

/** Where a plan has its types of numbers, first fixed-line and mobile: a pattern, and the lengths if not all of the plan. */
const typesOfPlan = 11;
type PlanTypes = readonly (readonly [string, (readonly number[])?])[];

/** The most digits, with the calling code, that people's numbers have where numbers begin as given, in E.164 form. Undefined: in no region they do. */
export function longestNumber(beginning: string): number | undefined {
  const digits = beginning.slice(1);
  const code = Object.keys(plans.country_calling_codes).find((code) => digits.startsWith(code));
  const lengths = (code === undefined ? [] : (plans.country_calling_codes[code] ?? []))
    .filter(isKnownRegion)
    .flatMap((region) => {
      const plan = plans.countries[region] as unknown as readonly unknown[];
      const [, , , all] = plan as unknown as PlanHead;
      const types = (plan[typesOfPlan] ?? []) as PlanTypes;
      return [...types.slice(0, 2).flatMap((type) => type?.[1] ?? all)];
    });
  return code === undefined || lengths.length === 0 ? undefined : code.length + Math.max(...lengths);
}

/** How many digits may be missing at the end of a number. */
const missingDigits = 2;

/**
 * The valid numbers that one which is not valid may stand for, as networks route by its first digits: those that it begins with, and those that begin with
 * it; both also without the trunk prefix. Of those that are longer it has some, one with each digit.
 */
export function validNumbersBeside(number: PhoneNumber): PhoneNumber[] {
  return regionsOf(number).flatMap((region) => {
    const [, , , lengths, , trunkPrefix] = plans.countries[region] as unknown as PlanHead;
    const dialled = number.nationalNumber;
    const trunks = ["", "0", ...(trunkPrefix ? [trunkPrefix] : [])].filter((trunk) => dialled.startsWith(trunk));
    return [...new Set(trunks)]
      .map((trunk) => dialled.slice(trunk.length))
      .flatMap((digits) => lengths.flatMap((length) => withLength(digits, length)))
      .filter((digits) => digits !== "")
      .map((digits) => {
        const one = new PhoneNumber(`+${number.countryCallingCode}${digits}`, plans);
        one.country = region;
        return one;
      })
      .filter((one) => one.isValid());
  });
}

function withLength(digits: string, length: number): string[] {
  const missing = length - digits.length;
  if (missing <= 0) {
    return [digits.slice(0, length)];
  }
  return missing > missingDigits ? [] : [..."0123456789"].map((digit) => digits + digit.repeat(missing));
}

/** The regions beside the number's own whose plans assign it as well, in alphabetical order. */
export function otherRegions({ country, countryCallingCode, number }: PhoneNumber): CountryCode[] {
  const sharing = plans.country_calling_codes[countryCallingCode] ?? [];
  const other = new PhoneNumber(number, plans);
  return sharing
    .filter((region) => {
      other.country = region;
      return region !== country && other.isValid();
    })
    .toSorted();
}
