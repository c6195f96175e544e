/** Generates the README's tables of commands and settings from their declarations (`npm run generate`). */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { standardCapabilities } from "../src/app.ts";
import { withStart } from "../src/process/command-line.ts";
import { commandsOf } from "../src/process/operator-commands.ts";
import { settingGroupsOf } from "../src/process/server-config.ts";

const path = join(import.meta.dirname, "../README.md");

function commandTable(): string {
  const rows = [...withStart(commandsOf(standardCapabilities()))].map(
    ([name, { summary }]) => `| \`${name}\` | ${summary} |`,
  );
  return ["| command | what it does |", "|---|---|", ...rows].join("\n");
}

function settingTables(): string {
  const tables = settingGroupsOf(standardCapabilities()).map(({ title, settings }) => {
    const rows = Object.entries(settings).map(
      ([name, { default: fallback, meaning, isSecret }]) =>
        `| \`${name}\`${isSecret ? " or `…_FILE`" : ""} | ${fallback} | ${meaning} |`,
    );
    return [`**${title}**`, "", "| variable | default | meaning |", "|---|---|---|", ...rows].join("\n");
  });
  return tables.join("\n\n");
}

/** Returns the README with its tables regenerated. Throws `TypeError` if the markers of a table are missing. */
export function withTables(readme: string): string {
  return replaceBetween(replaceBetween(readme, "commands", commandTable()), "settings", settingTables());
}

function replaceBetween(readme: string, name: string, tables: string): string {
  const marked = new RegExp(`(?<=<!-- ${name}: [^\\n]* -->\\n).*?(?=<!-- end of the ${name} -->)`, "s");
  if (!marked.test(readme)) {
    throw new TypeError(`README.md has no marks of the ${name}`);
  }
  return readme.replace(marked, () => `\n${tables}\n\n`);
}

export async function writeTables(): Promise<void> {
  await writeFile(path, withTables(await readFile(path, "utf8")));
}
