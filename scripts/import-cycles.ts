/**
 * Finds circles in `src/`, types included: files, and folders, that import one another, directly or through others. A folder below
 * `capabilities/` counts as one of its own, a file at the root of `src/` as a folder.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const source = join(import.meta.dirname, "../src");

/** By importer and imported: the import that made it so. */
type Imports = Map<string, Map<string, string>>;

function folderOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "capabilities" ? `${first}/${second}` : first;
}

function readImports(placeOf: (file: string) => string): Imports {
  const imports: Imports = new Map();
  for (const file of globSync("**/*.ts", { cwd: source })) {
    const text = readFileSync(join(source, file), "utf8");
    for (const [, specifier = ""] of text.matchAll(/(?:from|import) "(\.[^"]+)"/g)) {
      const imported = normalize(join(dirname(file), specifier));
      const [from, to] = [placeOf(file), placeOf(imported)];
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
  const search = (place: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(place)) {
      const circle = [...way.slice(way.indexOf(place)), place];
      return circle.slice(1).map((to, index) => imports.get(circle[index] ?? "")?.get(to) ?? to);
    }
    if (done.has(place)) {
      return undefined;
    }
    for (const next of imports.get(place)?.keys() ?? []) {
      const circle = search(next, [...way, place]);
      if (circle !== undefined) {
        return circle;
      }
    }
    done.add(place);
    return undefined;
  };
  for (const place of imports.keys()) {
    const circle = search(place, []);
    if (circle !== undefined) {
      return circle;
    }
  }
  return undefined;
}

for (const placeOf of [(file: string) => file, folderOf]) {
  const circle = findCircle(readImports(placeOf));
  if (circle !== undefined) {
    console.error(`Imports go in a circle:\n${circle.map((step) => `  ${step}`).join("\n")}`);
    process.exitCode = 1;
  }
}
