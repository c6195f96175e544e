/**
 * `npm run pack [-- <folder>]`: makes the npm packages `byond`, the server, `connect-rest-gateway`, which is `src/rest/`, and `byond-sdk`, which is
 * `sdk/typescript/`, and prints where they are. Default: `dist/packages/`.
 *
 * Node runs no TypeScript below `node_modules`, so all are compiled. Each but the SDK is put together in a folder of its own, in the layout of
 * this repository, and packed there: the sources stay as they are, and so do servers that run from them.
 */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { file_google_api_annotations as annotations } from "@byond/rest/gen/google/api/annotations_pb.js";
import { file_google_api_field_behavior as fieldBehavior } from "@byond/rest/gen/google/api/field_behavior_pb.js";
import { file_google_api_http as http } from "@byond/rest/gen/google/api/http_pb.js";
import { file_google_api_httpbody as httpBody } from "@byond/rest/gen/google/api/httpbody_pb.js";
import { printProtoFile } from "../src/capabilities/schema/print-proto.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Compiles what is below `from` to JavaScript below `to`. */
async function compile(from: string, to: string, files: readonly string[], declaration: boolean): Promise<void> {
  const config = `${to}.tsconfig.json`;
  await writeFile(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        rewriteRelativeImportExtensions: true,
        rootDir: join(root, from),
        outDir: to,
        declaration,
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: files.map((file) => join(root, file)),
      exclude: [join(root, consoleApp)],
    }),
  );
  await runTool("tsc", ["-p", config]);
  await rm(config);
}

async function runTool(program: string, args: readonly string[], cwd = root): Promise<string> {
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  try {
    return (await run(program, args, { cwd, env: { ...process.env, PATH: path }, maxBuffer: 1 << 24 })).stdout;
  } catch (error) {
    // A compiler tells what is wrong on standard output.
    throw new Error(`${program} failed: ${(error as { stdout?: string }).stdout}`, { cause: error });
  }
}

const consoleApp = "src/capabilities/console/app";

/** The workspaces that the server's package contains, by name: nobody else would install them. */
const bundled = { "@byond/rest": "src/rest", "@byond/embedded-postgres": "src/embedded-postgres" } as const;

/** `{"./gateway": "./gateway.ts"}` → `{"./gateway": "./gateway.js"}`. */
function compiledExports(exports: Manifest["exports"] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(exports).map(([name, path]) => [name, path.replace(/\.ts$/, ".js")]));
}

/** Copies files that are no source, such as texts and style sheets. */
async function copyAssets(patterns: readonly string[], to: string): Promise<void> {
  const paths = globSync(patterns, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith(`${consoleApp}/`));
  for (const path of paths) {
    await cp(join(root, path), join(to, path));
  }
}

async function buildServer(folder: string): Promise<void> {
  await runTool("node", ["scripts/build-console.ts"]);
  await compile(".", folder, ["src", "gen"], false);
  const manifest = await readManifest(".");
  const workspaces = await Promise.all(Object.values(bundled).map(readManifest));
  for (const [name, path] of Object.entries(bundled)) {
    const target = join(folder, "node_modules", name);
    await mkdir(join(target, ".."), { recursive: true });
    await rename(join(folder, path), target);
    const { version, license, exports } = await readManifest(path);
    await writeManifest(target, { name, version, license, type: "module", exports: compiledExports(exports) });
  }
  await copyAssets(["src/**/*", "gen/**/*", "proto/byond/**/*", "dist/console/**/*"], folder);
  await rm(join(folder, "src/rest"), { recursive: true });
  await rm(join(folder, "src/embedded-postgres"), { recursive: true });
  await copyAssets(["README.md", "CHANGELOG.md", "LICENSE", "docs/**/*"], folder);
  const { name, version, description, license, dependencies, devDependencies } = manifest;
  await writeManifest(folder, {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { byond: "src/bin.js" },
    engines: { node: ">=20" },
    // `npx` finds this Node before the machine's, which may be too old.
    dependencies: Object.assign({}, dependencies, ...workspaces.map((one) => one.dependencies), {
      node: devDependencies?.node,
    }),
    optionalDependencies: Object.assign({}, ...workspaces.map((one) => one.optionalDependencies)),
    bundleDependencies: Object.keys(bundled),
  });
}

async function buildGateway(folder: string): Promise<void> {
  await compile("src/rest", folder, ["src/rest"], true);
  // The compiler leaves the names of sources in declarations.
  for (const path of globSync("**/*.d.ts", { cwd: folder })) {
    const text = await readFile(join(folder, path), "utf8");
    await writeFile(join(folder, path), text.replace(/(from "|import\(")(\.[^"]*)\.ts"/g, '$1$2.js"'));
  }
  // Printed from their descriptors, for those who compile a schema with `google.api.http`.
  for (const { proto } of [annotations, fieldBehavior, http, httpBody]) {
    const path = join(folder, "proto", proto.name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(
      path,
      `// Copyright Google LLC, Apache License 2.0. Printed from its descriptor, without comments.\n${printProtoFile(proto)}`,
    );
  }
  await cp(join(root, "src/rest/README.md"), join(folder, "README.md"));
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  const { version, description, license, exports, dependencies = {} } = await readManifest("src/rest");
  const compiled = Object.entries(compiledExports(exports));
  await writeManifest(folder, {
    name: "connect-rest-gateway",
    version,
    description,
    keywords: ["connect", "grpc", "rest", "transcoding", "google.api.http", "openapi"],
    license,
    type: "module",
    engines: { node: ">=22" },
    exports: Object.fromEntries(
      compiled.map(([name, path]) => [name, { types: path.replace(/\.js$/, ".d.ts"), default: path }]),
    ),
    // Its users have them, too, and there must be one copy of each.
    peerDependencies: Object.fromEntries(Object.entries(dependencies).map(([name, exact]) => [name, `^${exact}`])),
  });
}

const target = resolve(process.argv[2] ?? join(root, "dist/packages"));
const builds = [
  ["byond", buildServer],
  ["connect-rest-gateway", buildGateway],
] as const;
for (const [name, build] of builds) {
  const folder = join(target, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build(folder);
  const [archive] = (await runTool("npm", ["pack", "--silent", "--pack-destination", target], folder))
    .trim()
    .split("\n");
  console.log(join(target, archive ?? ""));
}
const sdk = await runTool("npm", ["pack", "--silent", "--pack-destination", target], join(root, "sdk/typescript"));
console.log(join(target, sdk.trim().split("\n").at(-1) ?? ""));
