import { execFile, spawnSync } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PreparedSample } from "./sample-preparation.ts";

export const run = promisify(execFile);
export const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/samples");

/** How samples of a language are run: as they are, except that languages which are compiled are compiled once for all of them. */
export interface SampleLanguage {
  /** As in `x-codeSamples`. */
  readonly label: string;
  /** What the machine lacks to run them; undefined if nothing. */
  readonly missing: () => string | undefined;
  /** Writes the samples into a new folder, and builds what is to be built. */
  readonly build: (folder: string, samples: readonly PreparedSample[]) => Promise<void>;
  /** The command that runs one. */
  readonly command: (folder: string, operationId: string) => readonly [program: string, ...args: string[]];
  /** Whether a sample begins its output with the status of the answer. The others exit with an error unless it is a success. */
  readonly printsStatus: boolean;
}

/** Samples that an interpreter reads from a file. */
export function interpreted(extension: string): Pick<SampleLanguage, "build"> {
  return {
    async build(folder, samples) {
      for (const { operationId, source } of samples) {
        await writeFile(join(folder, `${operationId}.${extension}`), source);
      }
    },
  };
}

export function unless(program: string, ...args: readonly string[]): () => string | undefined {
  return () => (spawnSync(program, args, { stdio: "ignore" }).status === 0 ? undefined : `${program} is not installed`);
}

export const curl: SampleLanguage = {
  label: "curl",
  missing: unless("curl", "--version"),
  ...interpreted("sh"),
  command: (folder, id) => ["sh", join(folder, `${id}.sh`)],
  printsStatus: false,
};

const javascript: SampleLanguage = {
  label: "JavaScript",
  missing: () => undefined,
  ...interpreted("mjs"),
  command: (folder, id) => [process.execPath, join(folder, `${id}.mjs`)],
  printsStatus: true,
};

const pythonFolder = join(cache, "python");
const pythonRequests = "requests==2.34.2";

const python: SampleLanguage = {
  label: "Python",
  missing: unless("python3", "-c", "import ensurepip, venv"),
  async build(folder, samples) {
    if (!(await exists(join(pythonFolder, "bin/pip")))) {
      await run("python3", ["-m", "venv", pythonFolder]);
    }
    await run(join(pythonFolder, "bin/pip"), ["install", "--quiet", pythonRequests]);
    await interpreted("py").build(folder, samples);
  },
  command: (folder, id) => [join(pythonFolder, "bin/python"), join(folder, `${id}.py`)],
  printsStatus: true,
};

/** One program with a package for each sample: linking one for each would take a minute. `requirements` are lines of its go.mod. */
export function goProgram(requirements: readonly string[]): Pick<SampleLanguage, "missing" | "build" | "command"> {
  return {
    missing: unless("go", "version"),
    async build(folder, samples) {
      for (const { operationId, source } of samples) {
        const name = operationId.toLowerCase();
        const importable = source.replace("package main", `package ${name}`).replace("func main()", "func Main()");
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, "sample.go"), `${importable}\n`);
      }
      const names = samples.map(({ operationId }) => operationId.toLowerCase());
      await writeFile(join(folder, "go.mod"), ["module samples", ...requirements, ""].join("\n"));
      await writeFile(
        join(folder, "main.go"),
        [
          "package main",
          'import (\n"os"',
          ...names.map((name) => `"samples/${name}"`),
          ")",
          "func main() {\nswitch os.Args[1] {",
          ...names.map((name) => `case "${name}":\n${name}.Main()`),
          "}\n}",
        ].join("\n"),
      );
      const { stdout } = await run("gofmt", ["-l", ...names], { cwd: folder });
      if (stdout !== "") {
        throw new Error(`gofmt would change ${stdout}`);
      }
      await run("go", ["vet", "./..."], { cwd: folder });
      await run("go", ["build", "-o", "samples", "."], { cwd: folder });
    },
    command: (folder, id) => [join(folder, "samples"), id.toLowerCase()],
  };
}

const go: SampleLanguage = { label: "Go", ...goProgram(["go 1.21"]), printsStatus: true };

/** What PHP lacks to send requests. */
export function missingForPhp(): string | undefined {
  return (
    unless("php", "--version")() ??
    (spawnSync("php", ["-m"], { encoding: "utf8" }).stdout.includes("curl") ? undefined : "PHP has no extension curl")
  );
}

const php: SampleLanguage = {
  label: "PHP",
  missing: missingForPhp,
  ...interpreted("php"),
  command: (folder, id) => ["php", join(folder, `${id}.php`)],
  printsStatus: true,
};

/** A package for each sample, compiled together. */
const java: SampleLanguage = {
  label: "Java",
  missing: unless("javac", "--release", "17", "--version"),
  async build(folder, samples) {
    const files: string[] = [];
    for (const { operationId, source } of samples) {
      const file = join(folder, operationId, "Sample.java");
      await mkdir(join(folder, operationId));
      await writeFile(file, `package ${operationId};\n${source}\n`);
      files.push(file);
    }
    await run("javac", ["--release", "17", "-Xlint:all", "-Werror", "-d", join(folder, "classes"), ...files]);
  },
  command: (folder, id) => ["java", "-XX:TieredStopAtLevel=1", "-cp", join(folder, "classes"), `${id}.Sample`],
  printsStatus: true,
};

const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";

/** Installed through the Go module proxy, on the first run. */
const grpc: SampleLanguage = {
  label: "gRPC",
  missing: unless("go", "version"),
  async build(folder, samples) {
    if (!(await exists(join(cache, "bin/grpcurl")))) {
      await run("go", ["install", grpcurlModule], { env: { ...process.env, GOBIN: join(cache, "bin") } });
    }
    await interpreted("sh").build(folder, samples);
  },
  command: (folder, id) => ["env", `PATH=${join(cache, "bin")}:${process.env.PATH}`, "sh", join(folder, `${id}.sh`)],
  printsStatus: false,
};

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export const languagesWithoutSdk: readonly SampleLanguage[] = [curl, javascript, python, go, php, java, grpc];
