/** `byond lookup`: what it reads, what it writes, and what it says, in this process. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lookUpCsv } from "../../../src/capabilities/lookup/csv/lookup-csv-command.ts";
import { delimiterOf } from "../../../src/capabilities/lookup/csv/read-csv.ts";
import { harmlessCell } from "../../../src/text/spreadsheet-cell.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-csv-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly text: string;
  readonly lines: readonly string[];
  readonly said: string;
}

function collector(isTTY = false) {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

let files = 0;
async function run(
  content: string | Uint8Array,
  options: Record<string, string> = {},
  isTTY = false,
): Promise<Outcome> {
  files += 1;
  const csv = join(folder, `${files}.csv`);
  await writeFile(csv, content);
  const [output, terminal] = [collector(), collector(isTTY)];
  await lookUpCsv({
    options: { csv, ...options },
    input: Readable.from([]),
    output: output.stream,
    terminal: terminal.stream,
  });
  const text = output.text();
  return { text, lines: text.split("\n").slice(0, -1), said: terminal.text() };
}

const added =
  "number_e164,valid,possible,country_code,country,national_format,line_type,possible_line_types,duplicate,problem";
const singapore = "+6591234567,true,true,SG,Singapore,9123 4567,mobile,mobile";

test("every line keeps its cells and gets what is known about its number; the summary is said beside it", async () => {
  const { lines, said } = await run(
    'id,name,phone\n1,"Lim, Ada",+65 9123 4567\n2,"He said ""hi""",+6591234567\n3,,12\n4,,\n5\n',
  );
  expect(lines).toEqual([
    `id,name,phone,${added}`,
    `1,"Lim, Ada",+65 9123 4567,${singapore},false,`,
    `2,"He said ""hi""",+6591234567,${singapore},true,`,
    "3,,12,,false,false,,,,unknown,,false,",
    "4,,,,,,,,,,,,number is required",
    "5,,,,,,,,,,,,number is required",
  ]);
  expect(said).toMatch(/^Numbers +5 in [\d.]+ s$/m);
  expect(said).toMatch(/^Duplicates +1$/m);
  expect(said).toMatch(/^Not looked up +2$/m);
  expect(said).toMatch(
    /^Written as +(e164 1|international 1|unparseable 1)(, (e164 1|international 1|unparseable 1)){2}$/m,
  );
});

describe("the column of the numbers", () => {
  test.each<[string, string, Record<string, string>, string]>([
    ["has a known name", "telephone number,other\n+6591234567,+4930123456\n", {}, "+6591234567"],
    ["has the most numbers, without a header", "a,+6591234567\nb,+6591234568\n", {}, "+6591234567"],
    ["is the only one", "+6591234567\n", {}, "+6591234567"],
    ["is named", "+6591234567,+4930123456\n", { column: "2" }, "+4930123456"],
    ["is named by its title", "from,to\n+6591234567,+4930123456\n", { column: "To" }, "+4930123456"],
    ["has numbers of a country", "who,contact\nAda,91234567\n", { country: "sg" }, "+6591234567"],
  ])("%s", async (_, content, options, e164) => {
    const { lines } = await run(content, options);
    expect(lines.at(content.startsWith("+") || content.startsWith("a,") ? 0 : 1)).toContain(`,${e164},true`);
  });

  test.each<[string, string, Record<string, string>, RegExp]>([
    ["none has numbers", "a,b\nc,d\n", {}, /No column has phone numbers/],
    ["the named one does not exist", "a,b\n1,2\n", { column: "c" }, /no column of that name or place.*2 columns/],
    ["its place does not exist", "a,b\n1,2\n", { column: "3" }, /no column of that name or place/],
    ["the country is none", "phone\n1\n", { country: "XX" }, /--country must be/],
    ["a field is none", "phone\n1\n", { fields: "carrier,colour" }, /--fields must be of: calling_code, /],
    ["the treatment of formulas is none", "phone\n1\n", { formulas: "no" }, /--formulas must be/],
    ["the encoding is none", "phone\n1\n", { encoding: "klingon" }, /--encoding is not/],
    ["the file is empty", "", {}, /The file is empty/],
    ["the file does not exist", "", { csv: "/nowhere/at/all.csv" }, /--csv is not a file/],
  ])("is refused if %s", async (_, content, options, message) => {
    await expect(run(content, options)).rejects.toThrow(message);
  });
});

describe("a file", () => {
  test("of a spreadsheet, with semicolons, CRLF and a byte order mark, is answered in its form", async () => {
    const { text } = await run("\ufeffName;Telefon\r\nMüller;+49 30 901820\r\n");
    expect(text).toBe(
      `\ufeffName;Telefon;${added.replaceAll(",", ";")}\nMüller;+49 30 901820;+4930901820;true;true;DE;Germany;030 901820;fixed_line;fixed_line;false;\n`,
    );
  });

  test.each([
    ["CR", "phone\r+6591234567\r+6591234568\r"],
    ["empty lines", "\n\nphone\n\n+6591234567\n\n+6591234568\n\n"],
    ["no last line break", "phone\n+6591234567\n+6591234568"],
    ["tabs", "phone\tname\n+6591234567\tAda\n+6591234568\tBob\n"],
  ])("with %s is read", async (_, content) => {
    const { said } = await run(content);
    expect(said).toMatch(/^Valid +2$/m);
  });

  test("in UTF-16 or in a named encoding is read, and bytes that are not of its encoding are refused", async () => {
    const utf16 = Buffer.from("\ufeffphone,name\n+6591234567,Łódź\n", "utf16le");
    expect((await run(utf16)).text).toContain("Łódź");
    const latin = Buffer.from("phone,name\n+6591234567,Müller\n", "latin1");
    expect((await run(latin, { encoding: "windows-1252" })).text).toContain("Müller");
    await expect(run(latin)).rejects.toThrow("The file is not UTF-8. Say what it is, such as --encoding windows-1252.");
  });

  test.each([
    ['phone\n+6591234567\n"+65', /^Line 3: a quotation mark is not closed\.$/],
    ['phone\n+65"9\n', /^Line 2: a quotation mark stands where none may be/],
    ['phone\n"+65"9\n', /^Line 2: a quotation mark stands where none may be/],
    [`phone\n"${"1".repeat(2 * 1024 * 1024)}`, /has more than 1048576 characters, or a quotation mark is not closed/],
  ])("that is malformed is refused with its line: %#", async (content, message) => {
    await expect(run(content)).rejects.toThrow(message);
  });

  test("whose number is longer than any has a problem in its line, and in no other", async () => {
    const { lines } = await run(`phone\n${"1".repeat(300)}\n+6591234567\n`);
    expect(lines[1]).toMatch(/,number must be at most 250 characters$/);
    expect(lines[2]).toContain(",true,true,SG");
  });

  test("with a column of an added name keeps it", async () => {
    const { lines } = await run("phone,valid\n+6591234567,yes\n");
    expect(lines[0]).toMatch(/^phone,valid,number_e164,lookup_valid,possible/);
  });
});

test("fields that are asked for are further columns", async () => {
  const { lines } = await run("phone\n+442083612345\n,\n", { fields: "timezones, calling_code" });
  expect(lines[0]).toBe(`phone,,${added},calling_code,timezones`);
  expect(lines[1]).toMatch(/,false,,44,Europe\/London$/);
  expect(lines[2]).toMatch(/,number is required,,$/);
});

test("a line of 100 MB is refused before it is in memory", async () => {
  const part = Buffer.alloc(1024 * 1024, "1");
  let read = 0;
  const input = Readable.from(
    (function* () {
      yield Buffer.from("phone\n");
      for (; read < 100; read += 1) {
        yield part;
      }
    })(),
    { objectMode: false, highWaterMark: 64 * 1024 },
  );
  const output = new PassThrough().resume();
  const call = lookUpCsv({ options: { csv: "-" }, input, output, terminal: new PassThrough().resume() });
  await expect(call).rejects.toThrow(/has more than 1048576 characters/);
  expect(read).toBeLessThan(10);
});

test("nothing is read ahead of a reader that is slow, and a reader that leaves ends the work", async () => {
  let produced = 0;
  const input = Readable.from(
    (function* () {
      for (;;) {
        produced += 1;
        yield Buffer.from(`+659${1_000_000 + (produced % 9_000_000)}\n`);
      }
    })(),
    { objectMode: false, highWaterMark: 1 },
  );
  const waiting: (() => void)[] = [];
  const output = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => waiting.push(done) });
  const call = lookUpCsv({
    options: { csv: "-" },
    input,
    output,
    terminal: new PassThrough().resume(),
  });
  await expect.poll(() => waiting.length).toBe(1);
  let seen = -1;
  await expect
    .poll(() => {
      const isStill = seen === produced;
      seen = produced;
      return isStill;
    })
    .toBe(true);
  output.destroy();
  await call;
});

describe("cells that a spreadsheet would run", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"],
    ["-2+3+cmd", "'-2+3+cmd"],
    ["\t=1", "'\t'=1"],
    ["\n=1", "'\n'=1"],
    [" =1", "' =1"],
    ["＝1+1", "'＝1+1"],
    ["＋cmd", "'＋cmd"],
    ["＋６５ 9123 4567", "＋６５ 9123 4567"],
    [" +65 9123 4567", " +65 9123 4567"],
    ["+65 9123 4567", "+65 9123 4567"],
    ["+1 (201) 555-0123", "+1 (201) 555-0123"],
    ["-5.00", "-5.00"],
    ["a=1", "a=1"],
    // Where the spreadsheet takes another separator than the file has.
    ["x;=1+1", "x;'=1+1"],
    ["x; @SUM(A1);y", "x;' @SUM(A1);y"],
    ["x\t-2+3+cmd", "x\t'-2+3+cmd"],
    ['x;"=1+1";y', `x;'"=1+1";y`],
    ["x,＝1", "x,'＝1"],
    ["x\r\n=1", "x\r\n'=1"],
    ["a;\n\nb", "a;\n\nb"],
    ["-1;cmd|' /C calc'!A0", "'-1;cmd|' /C calc'!A0"],
    ["home +65 9123 4567; +65 9123 4568; +1", "home +65 9123 4567; +65 9123 4568; +1"],
    ["Smith, John; a=b", "Smith, John; a=b"],
    ["", ""],
  ])("%s becomes %s", (cell, expected) => {
    expect(harmlessCell(cell)).toBe(expected);
  });

  test("get an apostrophe, unless the file is to be kept as it is", async () => {
    const content = 'phone,name\n+6591234567,"=HYPERLINK(""x"")"\n';
    expect((await run(content)).lines[1]).toContain(`"'=HYPERLINK(""x"")"`);
    expect((await run(content, { formulas: "keep" })).lines[1]).toContain(`,"=HYPERLINK(""x"")"`);
  });
});

test.each([
  ["a,b;c,d", ","],
  ['"a;b;c",d', ","],
  ["a;b\n1,2,3", ";"],
  ["a\tb", "\t"],
  ["a|b", "|"],
  ["a\nb,c", ","],
])("the separator of %j is %j", (text, delimiter) => {
  expect(delimiterOf(text)).toBe(delimiter);
});

test("there is a progress bar where standard error is a terminal, and none elsewhere", async () => {
  const content = `phone\n${"+6591234567\n".repeat(2_500)}`;
  expect((await run(content)).said).not.toContain("\r");
  expect((await run(content, {}, true)).said).toMatch(/\[#* *\] \d+ % [\d,]+ numbers/);
});
