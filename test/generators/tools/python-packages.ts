import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, digestOf } from "../bench.ts";
import { runCommand } from "../run-command.ts";

const requirementsPath = join(import.meta.dirname, "../python/requirements.txt");
const requirements = readFileSync(requirementsPath, "utf8");

/** The version of a package as `python/requirements.txt` pins it. */
export function pythonPackageVersion(name: string): string {
  const [, version] = new RegExp(`^${name}==(\\S+)$`, "m").exec(requirements) ?? [];
  if (version === undefined) {
    throw new Error(`${requirementsPath} does not have ${name}`);
  }
  return version;
}

/**
 * The interpreter of a virtual environment that has `python/requirements.txt`; made on the first use. Run programs as modules (`-m mypy`): those in its
 * `bin` name the folder in which it was made.
 */
export async function pythonWithPackages(): Promise<string> {
  const folder = await cached(`python-${digestOf(requirements)}`, async (unfinished) => {
    await runCommand("python3", ["-m", "venv", unfinished]);
    const options = ["--quiet", "--disable-pip-version-check", "--requirement", requirementsPath];
    await runCommand(interpreterIn(unfinished), ["-m", "pip", "install", ...options]);
  });
  return interpreterIn(folder);
}

function interpreterIn(folder: string): string {
  return join(folder, "bin/python");
}
