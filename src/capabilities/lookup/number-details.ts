import {
  type CountryCode,
  isGeographic,
  isLocalLength,
  lengthProblem,
  otherRegions,
  type PhoneNumber,
  plansVersion,
  withoutMobileToken,
} from "../../text/numbering-plans.ts";
import { withPlainPlus } from "../../text/phone-number.ts";
import type { PrefixTable } from "../../text/prefix-table.ts";
import type { PlanTableName, PlanTables } from "./plan-tables.ts";

/** Why a number is not valid. */
export type InvalidReason =
  | "too_short"
  | "too_long"
  | "invalid_length"
  | "unknown_country_code"
  | "not_a_number"
  | "not_allocated"
  | "local_only";

/** What is told about a number only on request. What is not known is missing. */
export interface NumberDetails {
  /** Without the plus. */
  readonly callingCode?: string | undefined;
  readonly extension?: string | undefined;
  readonly internationalFormat?: string | undefined;
  /** A `tel:` URI. */
  readonly rfc3966?: string | undefined;
  /** Undefined if the number is valid. */
  readonly reason?: InvalidReason | undefined;
  readonly alsoPossible?: readonly CountryCode[];
  /** Names of the IANA time zone database. */
  readonly timezones?: readonly string[];
  readonly location?: string | undefined;
  /** The carrier that the number was allocated to, which it may have left. */
  readonly carrier?: string | undefined;
  readonly metadataVersion?: string;
}

export type LookupField = keyof NumberDetails;

/** A number as far as it has been looked up. */
export interface LookedUpNumber {
  /** Undefined if it cannot be parsed. */
  readonly number: PhoneNumber | undefined;
  /** What it was parsed from. */
  readonly text: string;
  readonly country: CountryCode | undefined;
  readonly valid: boolean;
}

export type DescribeNumber = (number: LookedUpNumber) => NumberDetails;

const tableOf: Partial<Readonly<Record<LookupField, PlanTableName>>> = {
  timezones: "timezones",
  location: "locations",
  carrier: "carriers",
};

/** Compiles the description of numbers by the fields that were asked for. Waits until the tables that they need are in memory. */
export async function describeFields(fields: readonly LookupField[], tables: PlanTables): Promise<DescribeNumber> {
  const describers = await Promise.all(
    fields.map(async (field) => {
      const name = tableOf[field];
      return describerOf(field, name && (await tables.table(name)));
    }),
  );
  return (number) => Object.assign({}, ...describers.map((describe) => describe(number)));
}

function describerOf(field: LookupField, table: PrefixTable | undefined): DescribeNumber {
  switch (field) {
    case "callingCode":
      return ({ number }) => ({ callingCode: number?.countryCallingCode });
    case "extension":
      return ({ number }) => ({ extension: number?.ext });
    case "internationalFormat":
      return ({ number }) => ({ internationalFormat: number?.formatInternational() });
    case "rfc3966":
      return ({ number }) => ({ rfc3966: number?.getURI() });
    case "reason":
      return (looked) => ({ reason: looked.valid ? undefined : reasonOf(looked) });
    case "alsoPossible":
      return ({ number, valid }) => ({ alsoPossible: number !== undefined && valid ? otherRegions(number) : [] });
    case "timezones":
      return ({ number, valid }) => ({ timezones: number && valid ? timezonesOf(number, table) : [] });
    case "location":
      return ({ number, valid }) => ({
        location: number && valid && isGeographic(number) ? table?.find(withoutMobileToken(number)) : undefined,
      });
    case "carrier":
      return ({ number, valid }) => ({
        carrier: number && valid && hasCarrier(number) ? table?.find(digitsOf(number)) : undefined,
      });
    case "metadataVersion":
      return () => ({ metadataVersion: plansVersion });
  }
}

function reasonOf({ number, text, country }: LookedUpNumber): InvalidReason {
  if (number !== undefined && isLocalLength(number)) {
    return "local_only";
  }
  switch (number === undefined ? lengthProblem(withPlainPlus(text), country) : lengthProblem(number.number)) {
    case "TOO_SHORT":
      return "too_short";
    case "TOO_LONG":
      return "too_long";
    case "INVALID_LENGTH":
      return "invalid_length";
    case "INVALID_COUNTRY":
      return "unknown_country_code";
    case "NOT_A_NUMBER":
      return "not_a_number";
    case undefined:
      return "not_allocated";
  }
}

function timezonesOf(number: PhoneNumber, table: PrefixTable | undefined): string[] {
  // Whatever else the digits of a number without an area stand for, its time zones are those of its calling code.
  const found = table?.find(isGeographic(number) ? digitsOf(number) : number.countryCallingCode);
  return found?.split(" ") ?? [];
}

function hasCarrier(number: PhoneNumber): boolean {
  const type = number.getType();
  return type === "MOBILE" || type === "FIXED_LINE_OR_MOBILE" || type === "PAGER";
}

/** The number in E.164 form, without the plus. */
function digitsOf({ number }: PhoneNumber): string {
  return number.slice(1);
}
