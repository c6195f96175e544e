import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** Builds the console before the tests in a browser, if it has changed. */
export default async function buildConsole(): Promise<void> {
  const script = join(import.meta.dirname, "../../scripts/build-console.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  process.stdout.write(stdout);
}
