/** The log's events: stable names, and one row each in the table of docs/guides/operations.md. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** `logger.warn("event"`: every call of a logger, with the text of its first argument. */
const loggerCall = /\blogger\??\.(info|warn|error)\(\s*([^,()]+)/gi;
/** `{ level: "warn", event: "event"`: a notice of the start. */
const notice = /level: "(info|warn)",\s*event: ([^,]+)/g;

/** Each event of the source with its levels, and the calls whose event is not written out. */
async function eventsOfSource() {
  const levels = new Map<string, Set<string>>();
  const others: string[] = [];
  for await (const path of glob("src/**/*.ts", { cwd: root })) {
    const source = await readFile(join(root, path), "utf8");
    for (const [call, level = "", event = ""] of [...source.matchAll(loggerCall), ...source.matchAll(notice)]) {
      const names = [...event.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
      for (const name of names) {
        levels.set(name, (levels.get(name) ?? new Set()).add(level));
      }
      if (names.length === 0) {
        others.push(`${path}: ${call}`);
      }
    }
    // Only the lines of a start choose their level at run time.
    if (/\blogger\[/i.test(source) && path !== "src/main.ts") {
      others.push(`${path}: logger[…]`);
    }
  }
  return { levels, others };
}

/** The rows of the table: each event with its levels. */
async function documentedEvents(): Promise<string[]> {
  const text = await readFile(join(root, "docs/guides/operations.md"), "utf8");
  const [, table = ""] = text.match(/^## Log events\n(.*?)^## /ms) ?? [];
  return Array.from(table.matchAll(/^\| `([^`]+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$/gm), ([, name, levels]) =>
    [name, levels].join(": "),
  );
}

test("every event of the source is in the table of operations.md with its levels, and the table has no others", async () => {
  const { levels, others } = await eventsOfSource();
  expect(others).toEqual([]);
  const events = Array.from(levels, ([name, ofName]) => `${name}: ${[...ofName].toSorted().reverse().join(", ")}`);
  expect(events.length).toBeGreaterThan(40);
  const rows = await documentedEvents();
  expect(rows.toSorted()).toEqual(events.toSorted());
});

test("events are names in snake_case", async () => {
  const { levels } = await eventsOfSource();
  expect([...levels.keys()].filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
});
