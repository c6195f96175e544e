/**
 * `npm run test:generators [-- [--all] [--report <file>] [<tool>]...]`: whether generators of clients take the document that the server serves. Each
 * generates a client, compiles it, and makes the README's calls with it against a server as `npm start` runs it. Without names: the tools of CI; with
 * `--all` every tool. A tool whose toolchain is missing is skipped by name. Prints a table; a report has the counts as vitest writes them, a test a stage.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { printTable } from "./print-table.ts";
import { type Outcome, runTool } from "./run-tool.ts";
import { ServerUnderTest } from "./server-under-test.ts";
import { slugOf } from "./tool.ts";
import { tools } from "./tools.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: "boolean", default: false }, report: { type: "string" } },
});
const unknown = positionals.filter((name) => !tools.some((tool) => slugOf(tool) === name));
if (unknown.length > 0) {
  console.error(
    `No such tool: ${unknown.join(", ")}. There are:\n${tools.map((tool) => `  ${slugOf(tool)}`).join("\n")}`,
  );
  process.exit(1);
}
const chosen = tools.filter((tool) =>
  positionals.length > 0 ? positionals.includes(slugOf(tool)) : values.all || tool.inCi,
);

const outcomes: Outcome[] = [];
{
  await using server = await ServerUnderTest.start();
  for (const tool of chosen) {
    console.log(`${tool.name} ${tool.version} …`);
    const outcome = await runTool(tool, server);
    if (outcome.failure !== undefined) {
      console.log(outcome.failure);
    }
    outcomes.push(outcome);
  }
}
printTable(outcomes);

const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.filter((outcome) => outcome.failure !== undefined).length;
console.log(`\n${passed} passed, ${failed} failed`);
if (values.report !== undefined) {
  await mkdir(dirname(values.report), { recursive: true });
  const testResults = outcomes
    .filter((outcome) => outcome.failure !== undefined)
    .map((outcome) => ({ name: outcome.tool.name, status: "failed", message: outcome.failure, assertionResults: [] }));
  await writeFile(values.report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults }));
}
process.exitCode = failed === 0 ? 0 : 1;
