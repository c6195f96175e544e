/** Checks that the files which the documents name exist: a file that is renamed is renamed there too. */
import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");

/** Where a path of a document may begin. */
const bases = [root, join(root, "src"), join(root, "src/capabilities")];

const missing: string[] = [];
for await (const document of glob(["*.md", "docs/**/*.md"], { cwd: root })) {
  const text = await readFile(join(root, document), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, path = ""]) => path);
  const names = [...text.matchAll(/`((?:[\w@-]+\/)+[\w.-]+\.(?:ts|md|json|proto|sh))`/g)].map(([, path = ""]) => path);
  const isThere = (path: string) =>
    [join(root, dirname(document)), ...bases].some((base) => existsSync(join(base, path)));
  missing.push(...[...links, ...names].filter((path) => !isThere(path)).map((path) => `${document}: ${path}`));
}
if (missing.length > 0) {
  console.error(`Documents name files that do not exist:\n${missing.join("\n")}`);
  process.exitCode = 1;
}
