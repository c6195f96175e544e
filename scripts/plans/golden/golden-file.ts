import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** What Google's libphonenumber for Java says of numbers, with the plans of the version that `gen/plans/source.json` names. */
export const goldenFile = join(import.meta.dirname, "../../../test/text/golden-numbers.tsv.br");

/** What is said of one number. A line of the file has these columns; one without a number has the first three only. */
export interface GoldenNumber {
  readonly text: string;
  readonly region: string;
  /** A result of `isPossibleNumberWithReason`, or the error of a text that is no number. */
  readonly length: string;
  /** Undefined if the text is no number. */
  readonly e164: string | undefined;
  readonly valid: boolean;
  readonly country: string;
  readonly type: string;
  readonly national: string;
  readonly international: string;
  readonly rfc3966: string;
  readonly timezones: string;
  readonly location: string;
  readonly carrier: string;
}

export function readGoldenNumbers(): GoldenNumber[] {
  const text = brotliDecompressSync(readFileSync(goldenFile)).toString();
  return text.trimEnd().split("\n").map(toGoldenNumber);
}

function toGoldenNumber(line: string): GoldenNumber {
  const [text = "", region = "", length = "", e164, valid = "", country = "", type = "", ...others] = line.split("\t");
  const [national = "", international = "", rfc3966 = "", timezones = "", location = "", carrier = ""] = others;
  return {
    text,
    region,
    length,
    e164,
    valid: valid === "true",
    country,
    type,
    national,
    international,
    rfc3966,
    timezones,
    location,
    carrier,
  };
}
