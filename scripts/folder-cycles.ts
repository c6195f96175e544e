/**
 * Finds circles among the folders of `src/`, types included: folders that import one another, directly or through others.
 * A folder below `capabilities/` counts as one of its own, a file at the root of `src/` as a folder.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const source = join(import.meta.dirname, "../src");

/** Import by import, which file made a folder import another one. */
type Imports = Map<string, Map<string, string>>;

function folderOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "capabilities" ? `${first}/${second}` : first;
}

function readImports(): Imports {
  const imports: Imports = new Map();
  for (const file of globSync("**/*.ts", { cwd: source })) {
    const text = readFileSync(join(source, file), "utf8");
    for (const [, specifier = ""] of text.matchAll(/(?:from|import) "(\.[^"]+)"/g)) {
      const imported = normalize(join(dirname(file), specifier));
      const [from, to] = [folderOf(file), folderOf(imported)];
      if (from !== to && !imported.startsWith("..")) {
        const targets = imports.get(from) ?? new Map<string, string>();
        imports.set(from, targets.set(to, `${file} imports ${imported}`));
      }
    }
  }
  return imports;
}

/** The first circle found, as the imports that make it; undefined if there is none. */
function findCircle(imports: Imports): readonly string[] | undefined {
  const done = new Set<string>();
  const search = (folder: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(folder)) {
      const circle = [...way.slice(way.indexOf(folder)), folder];
      return circle.slice(1).map((to, index) => imports.get(circle[index] ?? "")?.get(to) ?? to);
    }
    if (done.has(folder)) {
      return undefined;
    }
    for (const next of imports.get(folder)?.keys() ?? []) {
      const circle = search(next, [...way, folder]);
      if (circle !== undefined) {
        return circle;
      }
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of imports.keys()) {
    const circle = search(folder, []);
    if (circle !== undefined) {
      return circle;
    }
  }
  return undefined;
}

const circle = findCircle(readImports());
if (circle !== undefined) {
  console.error(`Folders of src/ import one another:\n${circle.map((step) => `  ${step}`).join("\n")}`);
  process.exitCode = 1;
}
