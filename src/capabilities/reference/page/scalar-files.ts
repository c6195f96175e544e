import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { StaticFile } from "../../../server/static-file.ts";

/**
 * The browser build of `@scalar/api-reference` in `node_modules`. It runs only in browsers and is self-contained. The package's
 * dependencies are for other builds: `overrides` in `package.json` replaces each with an empty package, which saves 270 packages
 * of 270 MB.
 */
export interface ScalarFiles {
  readonly version: string;
  /** By path below the build's folder: `standalone.esm.js`, `chunks/….js`. Read on first use. */
  readonly files: ReadonlyMap<string, () => Promise<StaticFile>>;
}

export async function findScalarFiles(): Promise<ScalarFiles> {
  const entry = createRequire(import.meta.url).resolve("@scalar/api-reference/style.css");
  const packageFolder = dirname(dirname(entry));
  const { version }: { version: string } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));
  const folder = join(packageFolder, "dist/browser");
  const chunks = await readdir(join(folder, "chunks"));
  const paths = ["standalone.esm.js", ...chunks.map((name) => join("chunks", name))];
  return {
    version,
    files: new Map(
      paths.filter((path) => path.endsWith(".js")).map((path) => [path, readOnce(join(folder, path))] as const),
    ),
  };
}

/** Reads a script on first use, and removes the reference to its source map, which is not served. */
function readOnce(path: string): () => Promise<StaticFile> {
  let file: Promise<StaticFile> | undefined;
  return () => {
    file ??= readFile(path, "utf8").then((text) => {
      const code = text.replace(`//# sourceMappingURL=${basename(path)}.map`, "");
      return new StaticFile("text/javascript; charset=utf-8", Buffer.from(code));
    });
    return file;
  };
}
