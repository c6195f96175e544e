import type { NumberDescription, NumberFormat, PackageData, Plan } from "./package-data.ts";

type Value = string | number | boolean | readonly Value[] | null | undefined;

/** The version of the form of the metadata, which is that of libphonenumber-js. */
const formVersion = 4;

/** Never matches. */
const noNumber = "(?!)";

/**
 * Writes numbering plans in the form of libphonenumber-js (its METADATA.md), with all types: arrays by position, with 0 for what is missing and
 * nothing for what is missing at the end. With the plans of one version it is what that package contains, except for two things that its generator
 * leaves out: formats for use within the region, and that a plan with fixed lines and without mobile numbers has no number of either kind.
 */
export function toMetadata({ regionsOfCallingCode, regions, international }: PackageData): object {
  return {
    version: formVersion,
    country_calling_codes: regionsOfCallingCode,
    countries: mapValues(regions, toPlan),
    nonGeographic: mapValues(international, toPlan),
  };
}

/** What libphonenumber-js has no place for: `PlanFacts` of the server. */
export function toFacts({ regions, geographicMobile, mobileTokens }: PackageData): object {
  const lengths = Object.entries(regions).map(([region, { general }]) => [region, general.localLengths] as const);
  return {
    localLengths: Object.fromEntries(lengths.filter(([, local]) => local.length > 0)),
    geographicMobile,
    mobileTokens,
  };
}

function toPlan(plan: Plan): Value {
  return compact([
    plan.callingCode,
    plan.internationalPrefix,
    plan.general.pattern,
    plan.general.lengths,
    toFormats(plan),
    plan.nationalPrefix,
    undefined,
    plan.nationalPrefixForParsing === plan.nationalPrefix ? undefined : plan.nationalPrefixForParsing,
    toReplacement(plan.nationalPrefixTransformRule),
    undefined,
    plan.leadingDigits,
    compact(toTypes(plan)),
    plan.preferredInternationalPrefix,
    plan.extensionPrefix,
  ]);
}

function toTypes({ types: [fixedLine = null, mobile = null, ...others], general }: Plan): Value[] {
  return [fixedLine, toMobile(fixedLine, mobile), ...others].map((type) => toType(type, general));
}

/** An empty pattern is that of fixed lines. The library takes the fixed lines of a plan without mobile numbers for lines that may be mobile. */
function toMobile(fixedLine: NumberDescription | null, mobile: NumberDescription | null): NumberDescription | null {
  if (fixedLine === null) {
    return mobile;
  }
  return mobile === null
    ? { ...fixedLine, pattern: noNumber }
    : { ...mobile, pattern: mobile.pattern === fixedLine.pattern ? "" : mobile.pattern };
}

function toType(type: NumberDescription | null, general: NumberDescription): Value {
  return type === null
    ? undefined
    : compact([type.pattern, isSame(type.lengths, general.lengths) ? undefined : type.lengths]);
}

function toFormats({ formats, internationalFormats }: Plan): Value {
  return formats.map((format) => {
    const national = toReplacement(format.format);
    const international = internationalFormats.length === 0 ? national : toInternational(format, internationalFormats);
    return compact([
      format.pattern,
      national,
      format.leadingDigits,
      toReplacement(format.nationalPrefixRule),
      format.nationalPrefixIsOptional,
      international === national ? undefined : international,
    ]);
  });
}

/** The international form of a number with this format. Numbers that are dialled within the region only have none: their digits follow each other. */
function toInternational(format: NumberFormat, all: readonly NumberFormat[]): string {
  const found = all.find(
    ({ pattern, leadingDigits }) => pattern === format.pattern && isSame(leadingDigits, format.leadingDigits),
  );
  return found === undefined
    ? [...format.pattern.matchAll(/\((?!\?)/g)].map((_, index) => `$${index + 1}`).join("")
    : toReplacement(found.format);
}

/** `\1` → `$1` */
function toReplacement<Text extends string | null>(format: Text): Text {
  return format?.replaceAll(/\\(\d)/g, "$$$1") as Text;
}

function isSame(one: Value, other: Value): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function compact(values: readonly Value[]): Value[] {
  const isMissing = (value: Value) =>
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
  return values
    .slice(0, values.findLastIndex((value) => !isMissing(value)) + 1)
    .map((value) => (isMissing(value) ? 0 : value === true ? 1 : value));
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
