import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CountryCode,
  getCountries as knownCountries,
  type MetadataJson,
  type PhoneNumber,
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

/** Why the text that {@link parseWholeNumber} takes is no number, or one of a length that no number has. Undefined if it has a known length. */
export function lengthProblem(text: string, country?: CountryCode): ReturnType<typeof validatePhoneNumberLength> {
  const options = country === undefined ? { extract: false } : { defaultCountry: country, extract: false };
  return validatePhoneNumberLength(text, options, plans);
}

/** Whether there is a numbering plan for a region, in upper case. */
export function isKnownRegion(region: string): region is CountryCode {
  return Object.hasOwn(plans.countries, region);
}

/** The regions that have a numbering plan. */
export function knownRegions(): CountryCode[] {
  return knownCountries(plans);
}
