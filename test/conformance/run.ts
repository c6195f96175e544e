/**
 * `npm run test:conformance [-- <report>]`: runs Connect's conformance suite against our port, router and chain (`server-under-test.ts`). The suite is
 * a program in Go, which is installed on the first run. Where a report is asked for, its counts are written as vitest's are.
 */
import { execFile, spawn } from "node:child_process";
import { access, cp, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const suite = "connectrpc.com/conformance";
const version = "v1.0.7";
const cache = join(root, ".cache/conformance", version);
const program = join(cache, "connectconformance");
const protos = join(cache, "proto");
const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` };

/** Installs the suite through the Go module proxy, and copies its schema out of the module. */
async function install(): Promise<void> {
  console.log(`Installing ${suite} ${version} …`);
  const { stdout } = await run("go", ["mod", "download", "-json", `${suite}@${version}`]).catch((cause: unknown) => {
    throw new Error("The suite is installed with Go, which could not be run.", { cause });
  });
  await cp(join(JSON.parse(stdout).Dir, "proto"), protos, { recursive: true });
  await run("go", ["install", `${suite}/cmd/connectconformance@${version}`], { env: { ...env, GOBIN: cache } });
}

/** Writes `gen/`, the code of the suite's schema, and checks the types of what imports it, which `npm run check` leaves out. */
async function generate(): Promise<void> {
  const out = "test/conformance/gen";
  await rm(join(root, out), { recursive: true, force: true });
  const options = ["target=ts", "import_extension=ts", "erasable_syntax=true"];
  const template = { version: "v2", plugins: [{ local: "protoc-gen-es", out, opt: options }] };
  const paths = ["config", "server_compat", "service"].flatMap((name) => [
    "--path",
    join(protos, `connectrpc/conformance/v1/${name}.proto`),
  ]);
  await run("buf", ["generate", protos, "--template", JSON.stringify(template), ...paths], { cwd: root, env });
  await run("tsc", ["--project", import.meta.dirname], { cwd: root, env });
}

/** Prints what the suite prints. Resolves to its counts, or to none if it did not come to its end. */
async function runSuite(): Promise<{ readonly passed: number; readonly failed: number } | undefined> {
  const features = ["--conf", join(import.meta.dirname, "features.yaml")];
  const server = [process.execPath, join(import.meta.dirname, "server.ts")];
  const child = spawn(program, ["--mode", "server", ...features, "--", ...server], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.pipe(process.stdout);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(await text(child.stdout)) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}

const [reportPath] = process.argv.slice(2);
const startedMs = performance.now();
if (
  !(await access(program).then(
    () => true,
    () => false,
  ))
) {
  await install();
}
await generate();
const counts = await runSuite();
console.log(`Connect's conformance suite ${version}: ${Math.round((performance.now() - startedMs) / 1_000)} s`);
if (reportPath !== undefined && counts !== undefined) {
  const report = { numPassedTests: counts.passed, numFailedTests: counts.failed, testResults: [] };
  await writeFile(reportPath, JSON.stringify(report));
}
process.exitCode = counts?.failed === 0 ? 0 : 1;
