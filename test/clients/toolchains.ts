import { spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { runCommand } from "../generators/run-command.ts";

const cache = join(import.meta.dirname, "../../.cache/clients");

/** Programs that are installed for the tests, and found before all others. */
export const bin = join(cache, "bin");

/** What the sections of the guide find in their environment, besides the server. */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: `${bin}${delimiter}${process.env.PATH}`,
  GOBIN: bin,
  // Compiled once, since its dependencies take most of a minute.
  CARGO_TARGET_DIR: join(cache, "cargo"),
};

const grpcioTools = "grpcio-tools==1.85.1";

/** Puts a `protoc` into `bin`: that of grpcio-tools, whatever the machine has. */
export async function installProtoc(): Promise<void> {
  const python = join(cache, "python");
  await mkdir(bin, { recursive: true });
  await runCommand("python3", ["-m", "venv", python]);
  await runCommand(join(python, "bin/pip"), ["install", "--quiet", grpcioTools]);
  const protoc = join(bin, "protoc");
  await writeFile(protoc, `#!/bin/sh\nexec "${join(python, "bin/python")}" -m grpc_tools.protoc "$@"\n`);
  await chmod(protoc, 0o755);
}

/** The first of the programs that the machine does not have. */
export function missingOf(programs: readonly string[]): string | undefined {
  return programs.find((program) => spawnSync(program, ["--help"], { stdio: "ignore" }).error !== undefined);
}
