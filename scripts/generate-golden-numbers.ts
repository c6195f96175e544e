/**
 * `npm run generate:golden-numbers`: writes the golden file of the numbering plans, which `npm run compare:plans` and a test compare with: what Google's
 * libphonenumber for Java says of numbers, and the package of the plans of their places. Needs a network, Python with pip, Java 17 and Maven. After
 * `npm run generate:plans`.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plansVersion } from "../src/text/numbering-plans.ts";
import { compress, withPackage } from "./generate-plans.ts";
import { goldenFile } from "./plans/golden/golden-file.ts";
import { numbersOf } from "./plans/golden/numbers.ts";

const folder = join(import.meta.dirname, "plans/golden");

function run(program: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) {
    throw new Error(`${program} failed: ${stderr}`, { cause: error });
  }
  return stdout;
}

await withPackage(plansVersion, async ({ wheel, data }) => {
  const numbers = numbersOf(data).map((number) => `${number.join("\t")}\n`);
  const scratch = await mkdtemp(join(import.meta.dirname, "../node_modules/.cache/golden-"));
  try {
    const artifact = `com.googlecode.libphonenumber:libphonenumber:${plansVersion}`;
    run("mvn", [
      "--quiet",
      "--batch-mode",
      "dependency:copy",
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${scratch}`,
    ]);
    const described = run("java", ["-cp", join(scratch, "*"), join(folder, "Golden.java")], numbers.join(""));
    const lines = run("python3", ["-B", join(folder, "describe_places.py"), wheel], described);
    await writeFile(goldenFile, compress(Buffer.from(lines)));
    console.log(`${numbers.length} numbers, libphonenumber ${plansVersion}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});
