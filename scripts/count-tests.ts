/**
 * Prints `N passed, N failed` from vitest's JSON report, and ends with 1 if anything failed: a test, a file that could
 * not be loaded (which the report's own counts miss), the runner itself, or the checks before it.
 *
 *   node scripts/count-tests.ts <report> <exit status of the runner> <exit status of the checks>
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

const [reportPath = "", testStatus = "1", checkStatus = "1"] = process.argv.slice(2);
const report: Report = existsSync(reportPath)
  ? JSON.parse(readFileSync(reportPath, "utf8"))
  : { numPassedTests: 0, numFailedTests: 0, testResults: [] };

const brokenFiles = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
).length;
const counted = report.numFailedTests + brokenFiles;
const testFailures = testStatus === "0" ? counted : Math.max(counted, 1);
const failed = testFailures + (checkStatus === "0" ? 0 : 1);

console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 && report.numPassedTests > 0 ? 0 : 1;
