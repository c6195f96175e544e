/**
 * Prints `N passed, N failed` from vitest's JSON reports. Exits with 1 if anything failed: a test, a file that could not be
 * loaded (a report's own counts miss those), a test runner, or the checks before them.
 *
 * node scripts/count-tests.ts <exit status of the checks> [<report> <exit status of its runner>]...
 */
import { existsSync, readFileSync } from "node:fs";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A runner that exited with an error, or ran no test, counts as at least one failure. */
function countTests(reportPath: string, status: string): Counts {
  const report: Report = existsSync(reportPath)
    ? JSON.parse(readFileSync(reportPath, "utf8"))
    : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const counted = report.numFailedTests + brokenFiles;
  const isSound = status === "0" && report.numPassedTests > 0;
  return { passed: report.numPassedTests, failed: isSound ? counted : Math.max(counted, 1) };
}

const [checkStatus = "1", ...pairs] = process.argv.slice(2);
const counts: Counts[] = [{ passed: 0, failed: checkStatus === "0" ? 0 : 1 }];
for (let index = 0; index < pairs.length; index += 2) {
  counts.push(countTests(pairs[index] ?? "", pairs[index + 1] ?? "1"));
}
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
