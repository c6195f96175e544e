import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The shell blocks of sections of the README, in order. */
export async function readBlocks(...sections: readonly string[]): Promise<string[]> {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const wanted = readme.split(/^## /m).filter((section) => sections.some((title) => section.startsWith(`${title}\n`)));
  return wanted.flatMap((section) => Array.from(section.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = ""]) => block));
}
