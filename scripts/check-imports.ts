/**
 * Checks the imports of `src/`, types included:
 *
 * - no circle of files, and none of folders: a folder below `capabilities/` counts as one of its own, a file at the root of `src/` as a folder;
 * - the platform imports nothing of `capabilities/`: `app.ts` alone knows them. A capability imports of another one types, and of
 *   `channels`, whose names and texts are shared, values too;
 * - a workspace (`src/rest`, `src/embedded-postgres`) imports no file outside its folder, and other files import it by its name. That it lists the
 *   packages that it imports is a rule of the linter (`noUndeclaredDependencies`);
 * - the console's source, which runs in browsers, imports itself, packages and generated code (`#gen/…`), nothing of the server.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import rootPackage from "../package.json" with { type: "json" };

const root = join(import.meta.dirname, "..");
const { workspaces } = rootPackage;

interface Import {
  readonly file: string;
  readonly imported: string;
  readonly isOfTypes: boolean;
}

/** The relative imports of `src/`, static and dynamic, as paths from the root. */
function readImports(): Import[] {
  return globSync("src/**/*.{ts,tsx}", { cwd: root }).flatMap((file) => {
    const specifiers = readFileSync(join(root, file), "utf8").matchAll(
      /(\bimport type [^;"'`]*)?\b(?:from|import)\s*\(?\s*["'`](\.[^"'`]+)["'`]/g,
    );
    return Array.from(specifiers, ([, typesOnly, specifier = ""]) => ({
      file,
      imported: normalize(join(dirname(file), specifier)),
      isOfTypes: typesOnly !== undefined,
    }));
  });
}

function workspaceOf(file: string): string | undefined {
  return workspaces.find((folder) => file.startsWith(`${folder}/`));
}

function findEscapes(imports: readonly Import[]): string[] {
  return imports
    .filter(({ file, imported }) => workspaceOf(file) !== workspaceOf(imported))
    .map(({ file, imported }) => {
      const workspace = workspaceOf(file);
      return workspace === undefined
        ? `${file} imports ${imported} by its path: a workspace is imported by its name, as far as its "exports" allow`
        : `${file} imports ${imported}: a file of a workspace must not import files outside ${workspace}`;
    });
}

/** The console's source, which runs in browsers. */
const consoleApp = "src/capabilities/console/app/";

function findAppImports(imports: readonly Import[]): string[] {
  return imports
    .filter(({ file, imported }) => file.startsWith(consoleApp) !== imported.startsWith(consoleApp))
    .map(({ file, imported }) =>
      file.startsWith(consoleApp)
        ? `${file} imports ${imported}: the console's source imports only itself, packages, and generated code as #gen/…`
        : `${file} imports ${imported}: the console's source runs in browsers only`,
    );
}

function capabilityOf(file: string): string | undefined {
  return /^src\/capabilities\/([\w-]+)\//.exec(file)?.[1];
}

function findCapabilityImports(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, imported, isOfTypes }) => {
    const [from, to] = [capabilityOf(file), capabilityOf(imported)];
    if (to === undefined || from === to || file === "src/app.ts") {
      return [];
    }
    if (from === undefined) {
      return [`${file} imports ${imported}: only src/app.ts knows capabilities`];
    }
    return isOfTypes || to === "channels"
      ? []
      : [`${file} imports ${imported}: what a capability does for another one is handed over in src/app.ts`];
  });
}

function folderOf(file: string): string {
  const [, first = "", second = ""] = file.split("/");
  return first === "capabilities" ? `${first}/${second}` : first;
}

/** By importing and imported place: an import that connects them. */
type Graph = Map<string, Map<string, string>>;

function graphOf(imports: readonly Import[], placeOf: (file: string) => string): Graph {
  const graph: Graph = new Map();
  for (const { file, imported } of imports) {
    const [from, to] = [placeOf(file), placeOf(imported)];
    if (from !== to && imported.startsWith("src/")) {
      const targets = graph.get(from) ?? new Map<string, string>();
      graph.set(from, targets.set(to, `${file} imports ${imported}`));
    }
  }
  return graph;
}

/** The first circle found, as the imports that make it; undefined if there is none. */
function findCircle(graph: Graph): readonly string[] | undefined {
  const done = new Set<string>();
  const search = (place: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(place)) {
      const circle = [...way.slice(way.indexOf(place)), place];
      return circle.slice(1).map((to, index) => graph.get(circle[index] ?? "")?.get(to) ?? to);
    }
    if (done.has(place)) {
      return undefined;
    }
    for (const next of graph.get(place)?.keys() ?? []) {
      const circle = search(next, [...way, place]);
      if (circle !== undefined) {
        return circle;
      }
    }
    done.add(place);
    return undefined;
  };
  for (const place of graph.keys()) {
    const circle = search(place, []);
    if (circle !== undefined) {
      return circle;
    }
  }
  return undefined;
}

const imports = readImports();
const circles = [(file: string) => file, folderOf]
  .map((placeOf) => findCircle(graphOf(imports, placeOf)))
  .filter((circle) => circle !== undefined)
  .map((circle) => `Imports go in a circle:\n${circle.map((step) => `  ${step}`).join("\n")}`);
const problems = [...findEscapes(imports), ...findAppImports(imports), ...findCapabilityImports(imports), ...circles];
for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length === 0 ? 0 : 1;
