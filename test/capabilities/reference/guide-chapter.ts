import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { currentApiVersion } from "../../../src/rpc/api-versions.ts";

const folder = join(import.meta.dirname, "../../../src/capabilities/reference/guide");

/** The names of all chapters of the guide. */
export const chapterNames: readonly string[] = readdirSync(folder).map((file) => file.replace(/\.md$/, ""));

/** The source of a chapter, with the placeholders that code can contain filled in. */
export function readChapter(name: string): string {
  return readFileSync(join(folder, `${name}.md`), "utf8").replaceAll("{{version}}", currentApiVersion);
}

/** The code blocks of a chapter in one language, in order. */
export function codeBlocks(name: string, language: string): string[] {
  const fenced = new RegExp(`^\`\`\`${language}\n(.*?)\n\`\`\`$`, "gms");
  return [...readChapter(name).matchAll(fenced)].map(([, block = ""]) => block);
}
