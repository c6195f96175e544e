import {
  type BatchLookupResult,
  type LineType,
  LineTypeSchema,
  type LookupReason,
  LookupReasonSchema,
} from "#gen/byond/v1/lookup_pb.ts";

/** A number as it was pasted, with what was found. */
export interface ListedNumber {
  readonly input: string;
  readonly result: BatchLookupResult;
}

const lineTypeWord = (type: LineType) => (LineTypeSchema.value[type]?.localName ?? "").toLowerCase();
const reasonWord = (reason: LookupReason | undefined) =>
  reason === undefined ? "" : (LookupReasonSchema.value[reason]?.localName ?? "").toLowerCase();

/** The columns that `byond lookup` adds, with its names and values. */
const columns: Readonly<Record<string, (listed: ListedNumber) => string | boolean | undefined>> = {
  number: ({ input }) => input,
  number_e164: ({ result }) => result.lookup?.numberE164,
  valid: ({ result }) => result.lookup?.valid,
  possible: ({ result }) => result.lookup?.possible,
  country_code: ({ result }) => result.lookup?.countryCode,
  country: ({ result }) => result.lookup?.country,
  national_format: ({ result }) => result.lookup?.nationalFormat,
  line_type: ({ result }) => result.lookup && lineTypeWord(result.lookup.lineType),
  possible_line_types: ({ result }) => result.lookup?.possibleLineTypes.map(lineTypeWord).join(" "),
  duplicate: ({ result }) => result.lookup && result.duplicateOf !== undefined,
  problem: ({ result }) => problemText(result),
  reason: ({ result }) => reasonWord(result.lookup?.reason),
  timezones: ({ result }) => result.lookup?.timezones?.timezones.join(" "),
  location: ({ result }) => result.lookup?.location,
  carrier: ({ result }) => result.lookup?.carrier,
};

/** The results as a CSV file (RFC 4180). The mark at its beginning tells spreadsheets that it is UTF-8. */
export function lookupCsv(numbers: readonly ListedNumber[]): string {
  const lines = numbers.map((listed) => Object.values(columns).map((column) => String(column(listed) ?? "")));
  return `\ufeff${[Object.keys(columns), ...lines].map(csvLine).join("")}`;
}

/** Why a number was not looked up: "number is required". */
export function problemText({ problems }: BatchLookupResult): string {
  return Object.entries(problems)
    .map(([field, problem]) => `${field} ${problem}`)
    .join("; ");
}

function csvLine(cells: readonly string[]): string {
  const quoted = cells
    .map(harmlessCell)
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
  return `${quoted.join(",")}\r\n`;
}

/** How a formula begins. Spreadsheets skip blanks, and take full-width signs in some languages. */
const formula = /^(\s*[=@＝＠+＋－-]|[\t\r\n])/;
/** Numbers are no formulas, with a sign or without, however they are grouped. */
const signedNumber = /^\s*[+＋－-][\p{Nd}\s().,/-]*[";|]*$/u;

/** A spreadsheet that takes another separator than the file has begins a cell after any of these. It takes no quotation marks there for those of the cell. */
const afterSeparator = /(?<=[,;\t|\r\n])/;

/** A cell that spreadsheets show as text: what they would run as a formula gets an apostrophe (CWE-1236). The rule is that of `byond lookup`. */
export function harmlessCell(text: string): string {
  const [first = "", ...others] = text.split(afterSeparator);
  return [
    isFormula(text) ? `'${first}` : first,
    ...others.map((part) => (isFormula(part.replace(/^["\s]+/, "")) ? `'${part}` : part)),
  ].join("");
}

const isFormula = (part: string) => formula.test(part) && !signedNumber.test(part);
