/** The command line: what `--help` tells, and the commands of operators, each in a process of its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { standardCapabilities } from "../../src/app.ts";
import type { Capability } from "../../src/capability.ts";
import { settingGroup } from "../../src/config/setting-group.ts";
import { help, parseCommandLine, withStart } from "../../src/process/command-line.ts";
import { commandsOf } from "../../src/process/operator-commands.ts";
import { settingGroupsOf } from "../../src/process/server-config.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { MainProcess, makeFolder, root } from "./main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  await using main = new MainProcess({ args, environment });
  const { code } = await main.exited;
  return { code, output: main.output, said: main.log };
}

describe("--help", () => {
  test("lists every command and setting, even with an invalid configuration, and creates nothing", async () => {
    await using folder = await makeFolder();
    const dataDir = join(folder.path, "data");
    const { code, output, said } = await run(["--help"], { PORT: "eighty", DATABSE_URL: "x", DATA_DIR: dataDir });
    expect([code, said]).toEqual([0, ""]);
    for (const name of ["start", ...commandsOf(standardCapabilities()).keys()]) {
      expect(output).toMatch(new RegExp(`^ {2}${name} `, "m"));
    }
    for (const { title, settings } of settingGroupsOf(standardCapabilities())) {
      expect(output).toContain(`\n${title}:\n`);
      for (const [name, { isSecret }] of Object.entries(settings)) {
        const names = isSecret ? `${name} or ${name}_FILE` : name;
        expect(output).toMatch(new RegExp(`^ {2}${names} \\(default: .+\\)\\n {6}\\S`, "m"));
      }
    }
    expect(output).not.toMatch(/`|\]\(/);
    expect(existsSync(dataDir)).toBe(false);
  });

  test("of a command lists its options", async () => {
    const { code, output, said } = await run(["create-account", "--help"]);
    expect([code, said]).toEqual([0, ""]);
    expect(output).toContain("Usage: byond create-account --email <address> --name <name>\n");
    expect(output).toMatch(/^ {2}--email <address> {2}\S/m);
  });

  test("lists the commands and settings of plug-ins", () => {
    const badges: Capability = {
      name: "badges",
      settings: [settingGroup("Badges", { BADGE_TEXT: { default: "`none`", meaning: "What a badge says." } })],
      commands: { "issue-badge": { summary: "Issues a badge.", run: async () => undefined } },
      start: () => ({}),
    };
    const capabilities = [...standardCapabilities(), badges];
    const text = help(withStart(commandsOf(capabilities)), settingGroupsOf(capabilities));
    expect(text).toContain("Badges:\n  BADGE_TEXT (default: none)\n      What a badge says.\n");
    expect(text).toMatch(/^ {2}issue-badge +Issues a badge\.$/m);
    expect(() => commandsOf([badges, badges])).toThrow("two capabilities have a command issue-badge");
  });
});

describe("doctor", () => {
  test("says each problem of a configuration that cannot be read, and exits with 1", async () => {
    const environment = { PORT: "eighty", SMTP_URL: "smtp://:hunter2@mail.example" };
    const { code, output, said } = await run(["doctor"], environment);
    expect([code, said]).toEqual([
      1,
      "3 faults, 0 warnings. The rest is checked once the configuration can be read.\n",
    ]);
    expect(output.split("\n")).toEqual([
      expect.stringMatching(/^fault {4}configuration {2}PORT must be a whole number .*\.$/),
      expect.stringMatching(/^fault {4}configuration {2}MAIL_FROM is required with SMTP_URL\.$/),
      expect.stringMatching(/^fault {4}configuration {2}SMTP_URL: .*\.$/),
      "",
      "",
    ]);
    expect(output).not.toContain("hunter2");
    const json = await run(["doctor", "--json"], environment);
    expect(JSON.parse(json.output)).toMatchObject({ verdict: "fault", findings: [{ about: "configuration" }, {}, {}] });
  });
});

test("--version prints the version, even with an invalid configuration", async () => {
  const { code, output, said } = await run(["--version"], { PORT: "eighty" });
  expect({ code, output, said }).toEqual({ code: 0, output: `${packageJson.version}\n`, said: "" });
});

test("the package's executable starts", async () => {
  await using main = new MainProcess({ command: [join(root, packageJson.bin.byond), "--version"] });
  expect(await main.exited).toEqual({ code: 0, signal: null });
  expect(main.output).toBe(`${packageJson.version}\n`);
});

describe("options", () => {
  const option = (isRequired?: true) => ({ value: "v", meaning: "", ...(isRequired && { isRequired }) });
  const table = withStart(new Map([["paint", { summary: "", options: { color: option(true), on: option() } }]]));

  test.each([
    [["--color", "red"], { color: "red" }],
    [["--color=red", "--on=--wall"], { color: "red", on: "--wall" }],
    [["--on", "=a=b", "--color=a=b"], { color: "a=b", on: "=a=b" }],
    [["--color", "-5.00", "--on=-5"], { color: "-5.00", on: "-5" }],
    [["--color", "-", "--on", "red"], { color: "-", on: "red" }],
  ])("%j are read", (args, options) => {
    expect(parseCommandLine(["paint", ...args], table)).toEqual({ kind: "command", command: "paint", options });
  });

  test.each([
    [[], "--color is required"],
    [["--on", "wall"], "--color is required"],
    [["--color"], "--color has no value"],
    [["--color="], "--color has no value"],
    [["--color", ""], "--color has no value"],
    [["--color", "--on"], "--color has no value"],
    [["--color", "-o"], "--color has no value"],
    [["--color", "red", "--color", "blue"], "--color is given twice"],
    [["--color", "red", "hunter2"], "paint takes options only, no other arguments"],
    [["--color", "red", "--", "hunter2"], "paint takes options only, no other arguments"],
    [["--colour=hunter2"], "paint has no option --colour"],
    [["-c", "hunter2"], "paint has no option -c"],
    [["--constructor", "hunter2"], "paint has no option --constructor"],
    [["--no-color"], "paint has no option --no-color"],
  ])("%j are refused, and nothing that may be a secret is repeated", (args, problem) => {
    expect(() => parseCommandLine(["paint", ...args], table)).toThrow(
      `${problem}. Usage: byond paint --color <v> [--on <v>]`,
    );
  });

  test("an option without a value is given or not", () => {
    const table = withStart(new Map([["paint", { summary: "", options: { fast: { meaning: "" } } }]]));
    expect(parseCommandLine(["paint", "--fast"], table)).toMatchObject({ options: { fast: "" } });
    expect(parseCommandLine(["paint"], table)).toMatchObject({ options: {} });
    const refused = [["--fast=hunter2"], ["--fast", "--fast"], ["--fast", "hunter2"]];
    const problems = ["--fast takes no value", "--fast is given twice", "paint takes options only, no other arguments"];
    for (const [index, args] of refused.entries()) {
      expect(() => parseCommandLine(["paint", ...args], table)).toThrow(
        `${problems[index]}. Usage: byond paint [--fast]`,
      );
    }
  });

  test("arguments after --help and --version are refused", () => {
    for (const first of ["--help", "--version"]) {
      expect(() => parseCommandLine([first, "hunter2"], table)).toThrow(`${first} takes no arguments.`);
    }
    expect(() => parseCommandLine(["paint", "--help", "hunter2"], table)).toThrow("paint has no option --help.");
  });

  test("without arguments the server starts, as with start", () => {
    const start = { kind: "command", command: "start", options: {} };
    expect(parseCommandLine([], table)).toEqual(start);
    expect(parseCommandLine(["start"], table)).toEqual(start);
  });
});

test("migrate updates the schema and exits, and can be repeated", async () => {
  const database = await createTestDatabase();
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: secret };
  for (const _time of ["first", "second"]) {
    const { code, output, said } = await run(["migrate"], environment);
    expect({ code, output, said }).toEqual({ code: 0, output: "The schema is up to date.\n", said: "" });
  }
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  expect((await client.query("SELECT FROM verification")).rows).toEqual([]);
  await client.end();
  await database.drop();
});
