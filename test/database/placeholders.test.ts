/** No statement counts its parameters: their names render them (`src/database/statement.ts`). */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const src = join(import.meta.dirname, "../../src");

/** `$1` of regular expressions, of a shell, and of a comment. */
const others = [/\.replace\(/, /\/\^.*\$\/, "/, /exec "\$2"/, /^\s*(\/\*)?\*/];

test("no placeholder is written by hand in src, outside of migrations", async () => {
  const found: string[] = [];
  for await (const file of glob("**/*.ts", { cwd: src, exclude: ["**/*.migration.ts"] })) {
    const lines = (await readFile(join(src, file), "utf8")).split("\n");
    for (const [index, line] of lines.entries()) {
      if (/\$[0-9]/.test(line) && !others.some((other) => other.test(line))) {
        found.push(`${file}:${index + 1}: ${line.trim()}`);
      }
    }
  }
  expect(found).toEqual([]);
});
