import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "./build.ts";

const sources = join(import.meta.dirname, "../../../src/revocation");
const mutants = join(import.meta.dirname, "../../../.cache/mutants");

/** A wrong line in the place of a right one. */
export interface Edit {
  readonly right: string;
  readonly wrong: string;
}

/** Loads a file of the protocol with some lines changed. Throws if one of them is not there any more. */
export async function loadMutant(file: string, edits: readonly Edit[]): Promise<Partial<Build>> {
  let text = await readFile(join(sources, file), "utf8");
  for (const { right, wrong } of edits) {
    if (!text.includes(right)) {
      throw new Error(`${file} does not contain: ${right}`);
    }
    text = text.replaceAll(right, wrong);
  }
  text = text.replaceAll(' from "./', ` from "${sources}/`).replaceAll(' from "../', ` from "${join(sources, "..")}/`);
  const path = join(mutants, `${createHash("sha256").update(text).digest("hex").slice(0, 16)}-${file}`);
  await mkdir(mutants, { recursive: true });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return import(path);
}
