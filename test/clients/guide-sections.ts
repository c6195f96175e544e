import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A section of a document that tells its reader what to write and to run. */
export interface GuideSection {
  /** The blocks that are shell scripts, one after the other. */
  readonly script: string;
  /** The blocks that name a file, by its path. */
  readonly files: ReadonlyMap<string, string>;
}

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/clients.md"), "utf8");

/** Reads a section, by default of `docs/guides/clients.md`. Throws if there is no such section. */
export function readSection(title: string, document = guide): GuideSection {
  const [, section] = document.split(`\n## ${title}\n`);
  if (section === undefined) {
    throw new Error(`there is no section ${title}`);
  }
  const blocks = [...(section.split("\n## ", 1)[0]?.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms) ?? [])];
  return {
    script: blocks
      .filter(([, language]) => language === "sh")
      .map(([, , , text]) => text)
      .join(""),
    files: new Map(blocks.flatMap(([, , path = "", text = ""]) => (path === "" ? [] : [[path, text] as const]))),
  };
}

/** The line by which every section begins: how the schema is fetched. */
export const fetchSchema = /^curl .*$/m.exec(guide)?.[0] ?? "";
