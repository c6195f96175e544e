import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { stringify } from "csv-stringify/sync";
import { type Command, CommandError, type OperatorCommand } from "../../../capability.ts";
import type { CountryCode } from "../../../text/numbering-plans.ts";
import { harmlessCell } from "../../../text/spreadsheet-cell.ts";
import { type ItemResult, lookUpItem } from "../batch/lookup-item.ts";
import { LookupTally } from "../batch/lookup-tally.ts";
import { RecentNumbers } from "../batch/recent-numbers.ts";
import { parseRegion } from "../lookup-number.ts";
import { describeFields, type LookupField } from "../number-details.ts";
import { PlanTables } from "../plan-tables.ts";
import { findNumberColumn } from "./number-column.ts";
import { ProgressBar } from "./progress-bar.ts";
import { readCsv } from "./read-csv.ts";
import { summaryText } from "./summary-text.ts";

/** `byond lookup`: looks up the numbers of a CSV file, on this machine. Throws `CommandError` for unusable input. */
export const lookupCsvCommand: OperatorCommand = {
  summary:
    "Looks up the phone numbers of a CSV file, writes the file with columns for what is known about them to standard output, and a summary to standard error. Needs no server and no database.",
  options: {
    csv: { value: "file", meaning: "The file, of any size. --csv - is standard input.", isRequired: true },
    column: {
      value: "name",
      meaning:
        "The column of the numbers, by its name or its place, counted from 1. Default: found by its name or by what it has.",
    },
    country: { value: "code", meaning: "The country of numbers in national form, such as SG." },
    fields: {
      value: "names",
      meaning:
        "Further columns, separated by commas: calling_code, extension, international_format, rfc3966, reason, also_possible, timezones, location, carrier, metadata_version.",
    },
    encoding: {
      value: "name",
      meaning: "Of the file, such as windows-1252. Default: UTF-8, or UTF-16 with a byte order mark.",
    },
    formulas: {
      value: "escape|keep",
      meaning:
        "What happens to cells of the file that a spreadsheet would run as formulas: an apostrophe in front (escape, the default), or nothing (keep).",
    },
  },
  run: lookUpCsv,
};

/** Records that the column of the numbers is looked for in. */
const sampledRecords = 100;
/** Records that are looked up before they are written. */
const recordsPerWrite = 1_000;
/** Different numbers that are remembered at least, to tell duplicates: 64 MB of them. */
const rememberedNumbers = 4_000_000;

const addedColumns = [
  "number_e164",
  "valid",
  "possible",
  "country_code",
  "country",
  "national_format",
  "line_type",
  "possible_line_types",
  "duplicate",
  "problem",
];

type Terminal = Pick<Command, "options" | "input" | "output" | "terminal">;

export async function lookUpCsv({ options, input, output, terminal }: Terminal): Promise<void> {
  const startedMs = performance.now();
  const country = readCountry(options.country);
  const fields = readFields(options.fields);
  const describe = fields.length === 0 ? undefined : await describeFields(fields, new PlanTables());
  const keepsFormulas = readFormulas(options.formulas);
  const source = await openFile(options.csv ?? "", input);
  const { dialect, records } = await readCsv(source.bytes, options.encoding ?? "utf-8");
  const iterator = records[Symbol.asyncIterator]();
  const sample: (readonly string[])[] = [];
  while (sample.length < sampledRecords) {
    const next = await iterator.next();
    if (next.done === true) {
      break;
    }
    sample.push(next.value);
  }
  if (sample.length === 0) {
    throw new CommandError("The file is empty.");
  }
  const { index, hasHeader } = findNumberColumn(sample, { wanted: options.column, country });
  const columns = Math.max(...sample.map(({ length }) => length));
  const tally = new LookupTally();
  const recent = new RecentNumbers(rememberedNumbers);
  const bar = new ProgressBar(terminal);
  const cell = keepsFormulas ? (text: string) => text : harmlessCell;
  const writer = new CsvWriter(output, dialect.delimiter);
  if (dialect.hasByteOrderMark) {
    await writer.write("\ufeff");
  }
  if (hasHeader) {
    const [names = []] = sample;
    writer.add([...widened(names, columns).map(cell), ...addedNames(names, fields)]);
  }
  const lookUp = (record: readonly string[]) => {
    const result = lookUpItem({ number: record[index]?.trim() ?? "" }, country, describe);
    const isDuplicate = result.kind === "lookup" && result.lookup.e164 !== null && recent.note(result.lookup.e164);
    tally.add(result, isDuplicate);
    writer.add([...widened(record, columns).map(cell), ...resultCells(result, isDuplicate, fields)]);
  };
  sample.slice(hasHeader ? 1 : 0).forEach(lookUp);
  for (let next = await iterator.next(); next.done !== true && !writer.isClosed; next = await iterator.next()) {
    lookUp(next.value);
    if (writer.isFull) {
      await writer.flush();
      bar.draw(source.share(), `${tally.summary.numbers.toLocaleString("en")} numbers`);
    }
  }
  await writer.flush();
  bar.clear();
  terminal.write(summaryText(tally.summary, performance.now() - startedMs));
}

function readCountry(code: string | undefined): CountryCode | undefined {
  const country = code === undefined ? undefined : parseRegion(code);
  if (code !== undefined && country === undefined) {
    throw new CommandError("--country must be an ISO 3166-1 alpha-2 country code, such as SG.");
  }
  return country;
}

/** As requests name them. */
const fieldsByName: Readonly<Record<string, LookupField>> = {
  calling_code: "callingCode",
  extension: "extension",
  international_format: "internationalFormat",
  rfc3966: "rfc3966",
  reason: "reason",
  also_possible: "alsoPossible",
  timezones: "timezones",
  location: "location",
  carrier: "carrier",
  metadata_version: "metadataVersion",
};

function readFields(names = ""): readonly LookupField[] {
  return [...new Set(names.split(",").map((name) => name.trim()))].flatMap((name) => {
    const field = Object.hasOwn(fieldsByName, name) ? fieldsByName[name] : undefined;
    if (field === undefined && name !== "") {
      throw new CommandError(`--fields must be of: ${Object.keys(fieldsByName).join(", ")}.`);
    }
    return field ?? [];
  });
}

function readFormulas(value = "escape"): boolean {
  if (value !== "escape" && value !== "keep") {
    throw new CommandError("--formulas must be escape or keep.");
  }
  return value === "keep";
}

interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Of the file that is read. Undefined if its size is not known. */
  share(): number | undefined;
}

async function openFile(path: string, input: Command["input"]): Promise<Source> {
  if (path === "-") {
    return { bytes: input, share: () => undefined };
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw new CommandError("--csv is not a file that can be read.");
  }
  const stream = createReadStream(path);
  const { size } = found;
  return { bytes: stream, share: () => (size === 0 ? undefined : stream.bytesRead / size) };
}

/** Lines with fewer cells than the others get empty ones, so that what is added stands in its columns. */
function widened(record: readonly string[], columns: number): readonly string[] {
  return record.length >= columns ? record : [...record, ...Array.from({ length: columns - record.length }, () => "")];
}

/** Names that the file does not have yet. */
function addedNames(names: readonly string[], fields: readonly LookupField[]): readonly string[] {
  const asked = Object.entries(fieldsByName).flatMap(([name, field]) => (fields.includes(field) ? [name] : []));
  return [...addedColumns, ...asked].map((name) => (names.includes(name) ? `lookup_${name}` : name));
}

function resultCells(result: ItemResult, isDuplicate: boolean, fields: readonly LookupField[]): readonly string[] {
  if (result.kind === "problems") {
    const problems = Object.entries(result.problems).map(([field, problem]) => `${field} ${problem}`);
    return ["", "", "", "", "", "", "", "", "", problems.join("; "), ...fields.map(() => "")];
  }
  const { lookup } = result;
  return [
    lookup.e164 ?? "",
    String(lookup.valid),
    String(lookup.possible),
    lookup.countryCode ?? "",
    lookup.country ?? "",
    lookup.nationalFormat ?? "",
    lookup.lineType,
    lookup.possibleLineTypes.join(" "),
    String(isDuplicate),
    "",
    ...Object.values(fieldsByName).flatMap((field) =>
      fields.includes(field) ? [[lookup.details?.[field] ?? ""].flat().join(" ")] : [],
    ),
  ];
}

/** Writes records many at a time, as fast as the reader takes them. */
class CsvWriter {
  readonly #output: Command["output"];
  readonly #delimiter: string;
  #records: (readonly string[])[] = [];

  constructor(output: Command["output"], delimiter: string) {
    this.#output = output;
    this.#delimiter = delimiter;
  }

  add(record: readonly string[]): void {
    this.#records.push(record);
  }

  get isFull(): boolean {
    return this.#records.length >= recordsPerWrite;
  }

  /** Whether the reader has gone, as `head` does. */
  get isClosed(): boolean {
    return this.#output.destroyed;
  }

  async flush(): Promise<void> {
    const text = stringify(this.#records, { delimiter: this.#delimiter });
    this.#records = [];
    await this.write(text);
  }

  async write(text: string): Promise<void> {
    if (text !== "" && !this.isClosed && !this.#output.write(text)) {
      await Promise.race([once(this.#output, "drain"), once(this.#output, "close")]).catch(() => undefined);
    }
  }
}
