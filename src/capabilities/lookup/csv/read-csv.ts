import { CsvError, parse } from "csv-parse";
import { CommandError } from "../../../capability.ts";

/** A record of more characters is refused: a quotation mark that is never closed would take the rest of the file into memory. */
const longestRecord = 1024 * 1024;
/** Characters in which the separator is looked for: the first lines. */
const sampleLength = 64 * 1024;

/** How a file is written. */
export interface CsvDialect {
  readonly delimiter: "," | ";" | "\t" | "|";
  readonly hasByteOrderMark: boolean;
}

export interface CsvFile {
  readonly dialect: CsvDialect;
  /** Its records in order, without empty lines. Throws `CommandError` for a malformed one, with its line. */
  readonly records: AsyncIterable<readonly string[]>;
}

/**
 * Reads CSV (RFC 4180) as it arrives: with commas, semicolons, tabs or bars, lines that end with LF, CRLF or CR, and with or without a byte order
 * mark. `encoding` is a label of the WHATWG Encoding Standard; a byte order mark of UTF-16 overrides it.
 */
export async function readCsv(bytes: AsyncIterable<Uint8Array>, encoding: string): Promise<CsvFile> {
  const text = decode(bytes, encoding);
  let sample = "";
  while (sample.length < sampleLength) {
    const { value, done } = await text.next();
    if (done === true) {
      break;
    }
    sample += value;
  }
  const hasByteOrderMark = sample.startsWith("\ufeff");
  const start = hasByteOrderMark ? sample.slice(1) : sample;
  const delimiter = delimiterOf(start);
  return { dialect: { delimiter, hasByteOrderMark }, records: parseRecords(joined(start, text), delimiter) };
}

async function* decode(bytes: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<string, undefined> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) {
    return;
  }
  const decoder = createDecoder(utf16Of(first.value) ?? label);
  try {
    yield decoder.decode(first.value, { stream: true });
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield decoder.decode(next.value, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError && "code" in error && error.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      throw new CommandError(
        `The file is not ${decoder.encoding.toUpperCase()}. Say what it is, such as --encoding windows-1252.`,
      );
    }
    throw error;
  }
}

function createDecoder(label: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true });
  } catch {
    throw new CommandError("--encoding is not the name of a known encoding, such as utf-8 or windows-1252.");
  }
}

function utf16Of([one, other]: Uint8Array): string | undefined {
  return one === 0xff && other === 0xfe ? "utf-16le" : one === 0xfe && other === 0xff ? "utf-16be" : undefined;
}

/** The separator that is most frequent in the first line, outside quotation marks. A comma if there is none. */
export function delimiterOf(text: string): CsvDialect["delimiter"] {
  const counts = { ",": 0, ";": 0, "\t": 0, "|": 0 };
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') {
      isQuoted = !isQuoted;
    } else if (!isQuoted && (character === "\n" || character === "\r")) {
      if (Object.values(counts).some((count) => count > 0)) {
        break;
      }
    } else if (!isQuoted && (character === "," || character === ";" || character === "\t" || character === "|")) {
      counts[character] += 1;
    }
  }
  const found = ([",", ";", "\t", "|"] as const).toSorted((one, other) => counts[other] - counts[one]);
  return found[0] ?? ",";
}

async function* joined(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield start;
  yield* rest;
}

async function* parseRecords(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<readonly string[]> {
  const parser = parse({
    delimiter,
    max_record_size: longestRecord,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // Characters, not bytes, are what is counted: the parser gets UTF-8.
  const feeding = feed(parser, text);
  try {
    for await (const record of parser) {
      yield record;
    }
    await feeding;
  } catch (error) {
    throw error instanceof CsvError ? new CommandError(explain(error)) : error;
  } finally {
    parser.destroy();
  }
}

/** Hands the text to the parser as fast as it takes it. */
async function feed(parser: ReturnType<typeof parse>, text: AsyncIterable<string>): Promise<void> {
  try {
    for await (const part of text) {
      if (parser.destroyed) {
        return;
      }
      if (!parser.write(part)) {
        await new Promise<void>((resolve) => {
          const proceed = () => {
            parser.off("drain", proceed).off("close", proceed);
            resolve();
          };
          parser.on("drain", proceed).on("close", proceed);
        });
      }
    }
    parser.end();
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function explain({ code, ...details }: CsvError): string {
  const line = "lines" in details ? `Line ${details.lines}` : "The file";
  switch (code) {
    case "CSV_MAX_RECORD_SIZE":
      return `${line}: the line has more than ${longestRecord} characters, or a quotation mark is not closed.`;
    case "CSV_QUOTE_NOT_CLOSED":
      return `${line}: a quotation mark is not closed.`;
    case "CSV_INVALID_CLOSING_QUOTE":
    case "INVALID_OPENING_QUOTE":
    case "CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE":
      return `${line}: a quotation mark stands where none may be. Within a quoted cell it is written twice.`;
    default:
      return `${line} is not CSV (${code}).`;
  }
}
