import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { makeFolder, root } from "./main-process.ts";

/**
 * The server of the last release, unpacked: its sources as they were (`scripts/pack-release.ts`), with the packages of today. What it runs with is
 * therefore not quite what it was released with; its statements are.
 */
export interface LastRelease extends AsyncDisposable {
  readonly program: string;
  /** Its migrations, in order. */
  readonly migrations: readonly { readonly name: string; readonly sha256: string }[];
  /** Its operations, such as `GET /lookup`. */
  readonly operations: readonly string[];
}

export async function unpackLastRelease(): Promise<LastRelease> {
  const folder = await makeFolder();
  const server = join(folder.path, "server");
  mkdirSync(server);
  const packed = readFileSync(join(root, "test/system/last-release.tar.br"));
  execFileSync("tar", ["-x", "-C", server], { input: brotliDecompressSync(packed) });
  // Node looks for packages in the folder itself, and then in those above.
  symlinkSync(join(root, "node_modules"), join(folder.path, "node_modules"));
  const read = (path: string) => JSON.parse(readFileSync(join(server, path), "utf8"));
  for (const workspace of read("package.json").workspaces ?? []) {
    const link = join(server, "node_modules", read(join(workspace, "package.json")).name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(server, workspace), link);
  }
  standInForScalar(join(server, "node_modules/@scalar/api-reference"));
  const paths: Record<string, object> = read("gen/openapi.json").paths;
  return {
    program: join(server, "src/main.ts"),
    migrations: read("src/process/released-migrations.json"),
    operations: Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** The reference page of the last release was of a package that is not installed any more. It looks for its files at the start. */
function standInForScalar(folder: string): void {
  mkdirSync(join(folder, "dist/browser/chunks"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"version":"0.0.0","exports":{"./style.css":"./dist/style.css"}}');
  writeFileSync(join(folder, "dist/style.css"), "");
}
