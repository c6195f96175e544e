/** The CSV file of the console's lookup. */
import { create } from "@bufbuild/protobuf";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { BatchLookupResultSchema, LineType, LookupReason } from "../../../gen/byond/v1/lookup_pb.ts";
import { harmlessCell, lookupCsv } from "../../../src/capabilities/console/app/pages/lookup/lookup-csv.ts";
import { harmlessCell as harmlessCellOfCommand } from "../../../src/text/spreadsheet-cell.ts";

test("it has what was found of each number, in order, and text that spreadsheets do not run", () => {
  const found = create(BatchLookupResultSchema, {
    lookup: {
      numberE164: "+6591234567",
      valid: true,
      possible: true,
      countryCode: "SG",
      country: "Singapore",
      nationalFormat: "9123 4567",
      lineType: LineType.MOBILE,
      possibleLineTypes: [LineType.MOBILE, LineType.FIXED_LINE],
      timezones: { timezones: ["Asia/Singapore"] },
      carrier: 'Carrier "A", of Singapore',
    },
    duplicateOf: 0,
  });
  const wrong = create(BatchLookupResultSchema, {
    lookup: { lineType: LineType.UNKNOWN, reason: LookupReason.TOO_SHORT },
  });
  const refused = create(BatchLookupResultSchema, { problems: { number: "is too long", country: "is unknown" } });
  const csv = lookupCsv([
    { input: "+65 9123 4567", result: found },
    { input: "12", result: wrong },
    { input: '=HYPERLINK("x")\n', result: refused },
  ]);
  expect(csv).toMatch(/^\ufeffnumber,number_e164,.*\r\n$/s);
  expect(parse(csv, { bom: true, columns: true })).toEqual([
    {
      number: "+65 9123 4567",
      number_e164: "+6591234567",
      valid: "true",
      possible: "true",
      country_code: "SG",
      country: "Singapore",
      national_format: "9123 4567",
      line_type: "mobile",
      possible_line_types: "mobile fixed_line",
      duplicate: "true",
      problem: "",
      reason: "",
      timezones: "Asia/Singapore",
      location: "",
      carrier: 'Carrier "A", of Singapore',
    },
    expect.objectContaining({ number: "12", number_e164: "", valid: "false", reason: "too_short", duplicate: "false" }),
    expect.objectContaining({
      number: `'=HYPERLINK("x")\n`,
      valid: "",
      duplicate: "",
      problem: "number is too long; country is unknown",
    }),
  ]);
});

test("cells are made harmless as byond lookup does it", () => {
  const blanks = ["", " ", "\t", "\r", "\n", "\u00a0", "a"];
  const signs = ["", "=", "@", "+", "-", "＝", "＠", "＋", "－", "'", "|", "x;=", 'x,"@', "1\t+"];
  const rests = ["", "1", "６５ 9123 4567", "(201) 555-0123", "-5.00", "1+1", "cmd|' /C calc'!A0", "SUM(A1)"];
  const cells = blanks.flatMap((blank) => signs.flatMap((sign) => rests.map((rest) => `${blank}${sign}${rest}`)));
  expect(cells.map(harmlessCell)).toEqual(cells.map(harmlessCellOfCommand));
});
