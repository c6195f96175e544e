/**
 * Builds the console into `dist/console/`, unless what is there was made of the same inputs. Runs before every start and before the package is
 * made. Without the development packages it leaves what is there. `--force` builds in any case. With `--optional`, as before a start, a build that
 * fails is said and is no error: the API works without the console, also where the folder cannot be written to.
 *
 * Fails if what the browser loads before the first page is larger than its budget.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const root = join(import.meta.dirname, "..");
const app = "src/capabilities/console/app";
const target = join(root, "dist/console");

/** For everything before the first page: the HTML, its scripts and its style sheets, compressed with gzip, the larger of the two encodings. */
const initialBudgetBytes = 200 * 1024;

/** A hash of what the console is made of: its source, generated code, packages, and how it is built. */
function hashInputs(): string {
  const hash = createHash("sha256");
  const files = globSync(
    [`${app}/**/*`, "gen/**/*.ts", "src/rest/**/*.ts", "scripts/build-console.ts", "package-lock.json"],
    {
      cwd: root,
      withFileTypes: true,
    },
  );
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.sort()) {
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex");
}

/** What the build was made of, and how large the initial load is. */
interface BuildRecord {
  readonly inputs: string;
  readonly initialBytes: SizeByEncoding;
}

interface SizeByEncoding {
  readonly gzip: number;
  readonly br: number;
}

async function readRecord(): Promise<BuildRecord | undefined> {
  const path = join(target, "build.json");
  return existsSync(path) ? JSON.parse(await readFile(path, "utf8")) : undefined;
}

function hasBuildTools(): boolean {
  try {
    const { resolve } = createRequire(import.meta.url);
    resolve("vite");
    resolve("@vitejs/plugin-react");
    return true;
  } catch {
    return false;
  }
}

const compressedTypes = new Set([".js", ".css", ".svg"]);

const compressBr = (bytes: Buffer) =>
  promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
const compressGzip = (bytes: Buffer) => promisify(gzip)(bytes, { level: 9 });

/** Writes the compressed forms beside the files that have any. */
async function compressAssets(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => compressedTypes.has(extname(name)));
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const bytes = await readFile(path);
      await Promise.all([
        writeFile(`${path}.br`, await compressBr(bytes)),
        writeFile(`${path}.gz`, await compressGzip(bytes)),
      ]);
    }),
  );
}

interface ManifestEntry {
  readonly file: string;
  readonly src?: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

/** The first page: it is loaded before anything can be seen. */
const firstPage = "pages/overview/overview-page.tsx";

/** The files that the browser loads before it can show the first page, and their sizes. */
async function measureInitialLoad(folder: string): Promise<SizeByEncoding> {
  const manifest: Record<string, ManifestEntry> = JSON.parse(
    await readFile(join(folder, ".vite/manifest.json"), "utf8"),
  );
  const files = new Set<string>();
  const add = (name: string) => {
    const entry = manifest[name];
    if (entry === undefined) {
      throw new Error(`the build has no ${name}`);
    }
    if (files.has(entry.file)) {
      return;
    }
    for (const file of [entry.file, ...(entry.css ?? [])]) {
      files.add(file);
    }
    for (const imported of entry.imports ?? []) {
      add(imported);
    }
  };
  add("index.html");
  add(firstPage);
  const html = await readFile(join(folder, "index.html"));
  for (const [, path = ""] of html.toString().matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)) {
    files.add(path);
  }
  const sizeOf = async (suffix: "br" | "gz") =>
    (await Promise.all([...files].map((file) => readFile(join(folder, `${file}.${suffix}`))))).reduce(
      (sum, { length }) => sum + length,
      0,
    );
  return {
    gzip: (await sizeOf("gz")) + (await compressGzip(html)).length,
    br: (await sizeOf("br")) + (await compressBr(html)).length,
  };
}

/** Builds into a folder of this process, and then puts it in place: a server that starts meanwhile sees a whole console. */
async function build(inputs: string): Promise<BuildRecord> {
  // React has two builds, and this chooses: tests, for one, set another.
  process.env.NODE_ENV = "production";
  const { build: viteBuild } = await import("vite");
  const folder = `${target}-${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    await viteBuild({
      configFile: join(root, app, "vite.config.ts"),
      configLoader: "native",
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: true, manifest: true },
    });
    await compressAssets(join(folder, "assets"));
    const record: BuildRecord = { inputs, initialBytes: await measureInitialLoad(folder) };
    if (record.initialBytes.gzip > initialBudgetBytes) {
      throw new Error(`${describe(record)}: more than ${kilobytes(initialBudgetBytes)}. Load something later.`);
    }
    await writeFile(join(folder, "build.json"), JSON.stringify(record));
    await rm(join(folder, ".vite"), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
      // Another start has built the same meanwhile.
      if (error.code !== "ENOTEMPTY") {
        throw error;
      }
    });
    return record;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

function describe({ initialBytes: { gzip, br } }: BuildRecord): string {
  return `${kilobytes(gzip)} with gzip (${kilobytes(br)} with brotli) before the first page`;
}

const startedMs = performance.now();
const say = (text: string) => console.log(`console: ${text} (${Math.round(performance.now() - startedMs)} ms)`);
const inputs = hashInputs();
const known = await readRecord();
if (known?.inputs === inputs && !process.argv.includes("--force")) {
  say(`built already, ${describe(known)}`);
} else if (hasBuildTools()) {
  try {
    say(`built, ${describe(await build(inputs))}`);
  } catch (error) {
    if (!process.argv.includes("--optional")) {
      throw error;
    }
    say(
      `NOT BUILT, the server starts with ${known === undefined ? "none" : "an older one"}: ${error instanceof Error ? error.message : error}`,
    );
  }
} else {
  say(
    known === undefined
      ? "not built: the development packages are not installed, and /console/ says so"
      : "an older build is used: the development packages are not installed",
  );
}
