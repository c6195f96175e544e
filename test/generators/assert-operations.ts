import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";

/** Throws unless the generated code, a file or a folder of the bench, names every operation of the document. Generators can lose some without a word. */
export async function assertOperations(bench: Bench, code: string): Promise<void> {
  const { paths }: { readonly paths: Readonly<Record<string, object>> } = JSON.parse(
    await readFile(bench.document, "utf8"),
  );
  const operations: readonly { readonly operationId: string }[] = Object.values(paths).flatMap(Object.values);
  const text = plain(await textOf(join(bench.folder, code)));
  const missing = operations.map(({ operationId }) => operationId).filter((name) => !text.includes(plain(name)));
  if (missing.length > 0) {
    throw new Error(`${code} does not have ${missing.join(", ")}`);
  }
}

/** Languages write `startVerification` in different ways. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[_-]/g, "");
}

async function textOf(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) {
    return readFile(path, "utf8");
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")));
  return texts.join("\n");
}
