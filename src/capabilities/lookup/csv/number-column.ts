import { CommandError } from "../../../capability.ts";
import type { CountryCode } from "../../../text/numbering-plans.ts";
import { lookupNumber } from "../lookup-number.ts";

/** Where the numbers are. */
export interface NumberColumn {
  readonly index: number;
  /** Whether the first record has the names of the columns. */
  readonly hasHeader: boolean;
}

/** In lower case, without spaces, hyphens, underscores and dots. */
const knownNames = [
  "phonenumber",
  "phone",
  "number",
  "mobile",
  "mobilephone",
  "mobilenumber",
  "cell",
  "cellphone",
  "telephone",
  "telephonenumber",
  "tel",
  "msisdn",
  "e164",
  "numbere164",
  "whatsapp",
  "telefon",
  "telefonnummer",
  "handy",
  "telefono",
  "teléfono",
  "téléphone",
  "telefone",
];

const plainName = (name: string) => name.toLowerCase().replace(/[\s._-]/g, "");

/**
 * Finds the column of the numbers. `wanted` is its name, or its place, counted from 1. Without it, the column has a known name, or is the one
 * with the most numbers among the first records. Throws `CommandError` if there is none.
 */
export function findNumberColumn(
  records: readonly (readonly string[])[],
  { wanted, country }: { readonly wanted: string | undefined; readonly country: CountryCode | undefined },
): NumberColumn {
  const [first = [], ...others] = records;
  const index = wanted === undefined ? likelyColumn(records, country) : wantedColumn(first, wanted);
  const head = first[index] ?? "";
  // Numbers have digits, and names of columns have few.
  const hasHeader = others.length > 0 || first.length > 0 ? !isNumber(head, country) && digitsOf(head) < 5 : false;
  return { index, hasHeader };
}

function wantedColumn(first: readonly string[], wanted: string): number {
  const byName = first.findIndex((name) => plainName(name) === plainName(wanted));
  if (byName !== -1) {
    return byName;
  }
  const place = /^\d+$/.test(wanted) ? Number(wanted) : 0;
  if (place < 1 || place > first.length) {
    throw new CommandError(`There is no column of that name or place. The first line has ${first.length} columns.`);
  }
  return place - 1;
}

function likelyColumn(records: readonly (readonly string[])[], country: CountryCode | undefined): number {
  const [first = []] = records;
  const named = knownNames
    .map((name) => first.findIndex((title) => plainName(title) === name))
    .find((index) => index !== -1);
  if (named !== undefined) {
    return named;
  }
  if (first.length <= 1) {
    return 0;
  }
  const counts = first.map((_, column) => records.filter((record) => isNumber(record[column] ?? "", country)).length);
  const most = Math.max(...counts);
  if (most * 2 < records.length) {
    throw new CommandError(
      "No column has phone numbers in most lines. Name it: --column, and --country for national numbers.",
    );
  }
  return counts.indexOf(most);
}

function isNumber(text: string, country: CountryCode | undefined): boolean {
  return text.length <= 250 && lookupNumber({ number: text, country }).possible;
}

function digitsOf(text: string): number {
  return text.replace(/\P{Nd}/gu, "").length;
}
