import { lookupNumber } from "../../src/capabilities/lookup/lookup-number.ts";

/** Byond's own lookup, as the JSON of its REST answer: what is compared is the way to it. */
export function lookUp(number) {
  const result = lookupNumber({ number, country: undefined });
  return {
    input: result.input,
    number_e164: result.e164,
    valid: result.valid,
    possible: result.possible,
    country_code: result.countryCode,
    country: result.country,
    national_format: result.nationalFormat,
    line_type: result.lineType,
    source: "offline",
    possible_line_types: result.possibleLineTypes,
  };
}
