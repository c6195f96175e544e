/** How the samples in the SDKs are run: each with the SDK of this repository in the place where its package would be. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { goProgram, interpreted, missingForPhp, root, run, type SampleLanguage, unless } from "./sample-language.ts";

const sdk = join(root, "sdk");

/** Compiled as its package is. The samples are type-checked. */
const typescript: SampleLanguage = {
  label: "TypeScript SDK",
  missing: () => undefined,
  async build(folder, samples) {
    await run(process.execPath, [join(sdk, "typescript/build.ts")]);
    await mkdir(join(folder, "node_modules"));
    await symlink(join(sdk, "typescript"), join(folder, "node_modules/byond-sdk"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    await interpreted("ts").build(folder, samples);
    const options = ["--module", "nodenext", "--target", "es2022", "--strict", "--noEmit", "--skipLibCheck"];
    const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
    const files = samples.map(({ operationId }) => `${operationId}.ts`);
    await run(join(root, "node_modules/.bin/tsc"), [...options, ...types, ...files], { cwd: folder });
  },
  command: (folder, id) => [process.execPath, join(folder, `${id}.ts`)],
  printsStatus: false,
};

/** In the environment of `npm run test:sdks`. */
const python: SampleLanguage = {
  label: "Python SDK",
  missing: unless("python3", "-c", "import ensurepip, venv"),
  async build(folder, samples) {
    await run("python3", [join(sdk, "python/test/prepare.py")]);
    await interpreted("py").build(folder, samples);
  },
  command: (folder, id) => [
    "env",
    `PYTHONPATH=${join(sdk, "python")}`,
    join(root, ".cache/sdk-python/bin/python"),
    join(folder, `${id}.py`),
  ],
  printsStatus: false,
};

const goModule = "github.com/byond/byond-go";

const go: SampleLanguage = {
  label: "Go SDK",
  ...goProgram(["go 1.24", `require ${goModule} v0.1.0`, `replace ${goModule} => ${join(sdk, "go")}`]),
  printsStatus: false,
};

const php: SampleLanguage = {
  label: "PHP SDK",
  missing: missingForPhp,
  async build(folder, samples) {
    await mkdir(join(folder, "vendor"));
    await symlink(join(sdk, "php/autoload.php"), join(folder, "vendor/autoload.php"));
    await interpreted("php").build(folder, samples);
  },
  command: (folder, id) => ["php", join(folder, `${id}.php`)],
  printsStatus: false,
};

export const sdkSampleLanguages: readonly SampleLanguage[] = [typescript, python, go, php];
