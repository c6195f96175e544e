import { countryName } from "../../../src/capabilities/lookup/lookup-number.ts";
import type { NumberDetails } from "../../../src/capabilities/lookup/number-details.ts";
import type { PhoneNumber } from "../../../src/text/numbering-plans.ts";
import type { GoldenNumber } from "./golden-file.ts";

/** What is compared. */
export const kinds = [
  "parsed",
  "e164",
  "valid",
  "possible",
  "country",
  "type",
  "national_format",
  "international_format",
  "rfc3966",
  "timezones",
  "location",
  "carrier",
] as const;

export type Kind = (typeof kinds)[number];

/** A difference, as `golden → ours`. */
export interface Difference {
  readonly kind: Kind;
  readonly golden: GoldenNumber;
  readonly text: string;
}

/** What differs between the golden answer and ours. `details` are compared as far as they are there. */
export function differencesOf(
  golden: GoldenNumber,
  number: PhoneNumber | undefined,
  details: NumberDetails = {},
): Difference[] {
  const difference = (kind: Kind, expected: unknown, found: unknown): Difference[] =>
    expected === found ? [] : [{ kind, golden, text: `${expected} → ${found}` }];
  if (number === undefined || golden.e164 === undefined) {
    return difference("parsed", golden.e164 !== undefined, number !== undefined);
  }
  if (golden.e164 !== number.number) {
    // Whatever else is said of another number is no difference of the plans.
    return difference("e164", golden.e164, number.number);
  }
  const { timezones, location, carrier } = details;
  // The word for an extension is a matter of taste.
  const formatted = (text: string) => (number.ext === undefined ? text : text.replace(/\D+\d+$/u, ""));
  return [
    difference("valid", golden.valid, number.isValid()),
    difference("possible", golden.length === "IS_POSSIBLE", number.isPossible()),
    // Where nothing is valid, the library names the only region of a calling code, as Google's does.
    golden.valid ? difference("country", golden.country === "001" ? "" : golden.country, number.country ?? "") : [],
    difference("type", golden.type === "UNKNOWN" ? "" : golden.type, number.getType() ?? ""),
    difference("national_format", formatted(golden.national), formatted(number.formatNational())),
    difference(
      "international_format",
      plain(formatted(golden.international)),
      plain(formatted(number.formatInternational())),
    ),
    difference("rfc3966", golden.rfc3966.replaceAll(/[-()]/g, ""), number.getURI()),
    timezones === undefined ? [] : difference("timezones", golden.timezones, timezones.join(" ")),
    "location" in details ? difference("location", placeOf(golden.location, number), placeOf(location, number)) : [],
    "carrier" in details ? difference("carrier", golden.carrier, carrier ?? "") : [],
  ].flat();
}

/** The golden file has no places that are called like their country, which the libraries also say where they know none. */
function placeOf(location: string | undefined, { country }: PhoneNumber): string {
  return location === undefined || (country !== undefined && location === countryName(country)) ? "" : location;
}

/** International forms differ in what separates the groups: libphonenumber-js keeps to ITU-T E.123. */
function plain(formatted: string): string {
  return formatted.replaceAll(/[^\d+]+/g, " ").trim();
}
