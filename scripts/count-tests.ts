/**
 * Prints `N passed, N failed` from vitest's JSON reports, after the names of what failed and why. Exits with 1 if anything
 * failed: a test, a file that could not be loaded (a report's own counts miss those), a test runner, or the checks before them.
 *
 * node scripts/count-tests.ts <exit status of the checks> <folder of reports, `<name>.json`, and of the exit statuses of their runners, `<name>.status`>
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name?: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName?: string;
      readonly title?: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

interface Counts {
  readonly passed: number;
  readonly failures: readonly string[];
}

/** A runner that exited with an error, or ran no test, counts as at least one failure. */
function countTests(reportPath: string, status: string): Counts {
  const report: Report = existsSync(reportPath)
    ? JSON.parse(readFileSync(reportPath, "utf8"))
    : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  const failures = report.testResults.flatMap((file) => {
    const failed = file.assertionResults
      .filter((test) => test.status === "failed")
      .map((test) => describeFailure(file.name, test.fullName ?? test.title, test.failureMessages?.join("\n")));
    const isBroken = file.status === "failed" && failed.length === 0;
    return isBroken ? [describeFailure(file.name, "could not be run", file.message)] : failed;
  });
  while (failures.length < report.numFailedTests) {
    failures.push(describeFailure(reportPath, "see the runner's output", ""));
  }
  if (failures.length === 0 && (status !== "0" || report.numPassedTests === 0)) {
    failures.push(describeFailure(reportPath, `the runner ended with ${status}, ${report.numPassedTests} passed`, ""));
  }
  return { passed: report.numPassedTests, failures };
}

function describeFailure(file: string | undefined, test: string | undefined, message: string | undefined): string {
  const where = (file ?? "").replace(`${process.cwd()}/`, "");
  const reason = (message ?? "").split("\n").slice(0, 12).join("\n    ").slice(0, 1_500);
  return `FAILED ${where}: ${test ?? ""}\n    ${reason}`;
}

const [checkStatus = "1", folder = "."] = process.argv.slice(2);
const counts: Counts[] = [{ passed: 0, failures: checkStatus === "0" ? [] : ["FAILED npm run check"] }];
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".status"))
  .sort()) {
  const status = readFileSync(join(folder, file), "utf8").trim();
  counts.push(countTests(join(folder, file.replace(/status$/, "json")), status));
}
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failures = counts.flatMap((count) => count.failures);

for (const failure of failures) {
  console.log(failure);
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
