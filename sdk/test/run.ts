/**
 * `npm run test:sdks [-- <language>…] [--report <file>]`: runs `sdk/cases.yaml` in each language against a server of its own. Prints a table of
 * what passed, failed and was skipped, with the reasons, and writes the counts as vitest does where a report is asked for.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { HttpFake } from "../../test/capabilities/channels/http-fake.ts";
import { MainProcess, makeFolder, root } from "../../test/system/main-process.ts";
import { modelOfSchema } from "../generator/generate.ts";
import type { Field, Model } from "../generator/model.ts";
import { type Cases, fillIn, readCases, runnable, type Transport } from "./cases.ts";
import { requestProblems } from "./check-requests.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { Inbox } from "./inbox.ts";
import { type Command, type Language, languages, missingFor } from "./languages.ts";
import { prepareAccount, prepareCase, prepareWebhook } from "./prepare-values.ts";

interface Result {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

interface Run {
  readonly language: string;
  readonly transport: Transport | "package" | "-";
  readonly results: readonly Result[];
  readonly seconds: number;
}

/** How long a runner may take. */
const runnerTimeoutMs = 180_000;

interface Place {
  readonly serverUrl: string;
  readonly inbox: Inbox;
  readonly proxy: FaultProxy;
  readonly receiverUrl: string;
  readonly cases: Cases;
  readonly model: Model;
}

async function execute(
  command: Command,
  cwd: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<{ code: number | null; output: string; log: string }> {
  const [program, ...args] = command;
  // Not the settings of whoever runs the tests.
  const { BYOND_BASE_URL: _, BYOND_URL: __, BYONDAPI_KEY: ___, ...env } = process.env;
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: runnerTimeoutMs,
  });
  const [output, log, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, output, log };
}

async function runLanguage(place: Place, language: Language, transport: Transport): Promise<readonly Result[]> {
  const { serverUrl, inbox, proxy, cases, model } = place;
  const id = `${language.name}-${transport}-${Date.now().toString(36)}`;
  const values = {
    ...(await prepareAccount(serverUrl, inbox, id)),
    ...prepareWebhook(),
    receiver_url: place.receiverUrl,
    large_text: "a".repeat(70_000),
  };
  const chosen = cases.cases.flatMap((one, index) =>
    (one.transports ?? ["rest", "grpc"]).includes(transport) ? [{ one, key: `${id}-${index}` }] : [],
  );
  const json = chosen.map(({ one, key }) => {
    const url = one.faults === undefined ? serverUrl : proxy.script(key, one.faults);
    return fillIn(runnable(one, cases.clients, url), { ...values, ...prepareCase(key) });
  });
  const folder = await mkdtemp(join(tmpdir(), "byond-sdk-"));
  try {
    const file = join(folder, "cases.json");
    await writeFile(file, JSON.stringify({ transport, operations: parametersOf(model), cases: json }));
    const [program, ...args] = language.runner;
    const { code, output, log } = await execute([program, ...args, file], language.folder);
    const results = parseResults(output);
    return chosen.map(({ one, key }): Result => {
      const result = results.get(one.name);
      if (result === undefined) {
        return { name: one.name, status: "failed", reason: `the runner ended with ${code} before it: ${log.trim()}` };
      }
      const problems = one.requests === undefined ? [] : requestProblems(one.requests, proxy.seen(key));
      return result.status === "passed" && problems.length > 0
        ? { ...result, status: "failed", reason: problems.join("; ") }
        : result;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the tests of a package. */
async function testPackage(
  { serverUrl, inbox }: Place,
  { name, folder }: Language,
  tests: Command,
): Promise<readonly Result[]> {
  const account = await prepareAccount(serverUrl, inbox, `${name}-package-${Date.now().toString(36)}`);
  const environment = { BYOND_URL: serverUrl, BYONDAPI_KEY: String(account.sandbox_key) };
  const { code, output, log } = await execute(tests, folder, environment);
  const results = [...parseResults(output).values()];
  return code === 0 ? results : [...results, { name: "all", status: "failed", reason: `ended with ${code}: ${log}` }];
}

/** The parameters of every operation: those of the path are arguments by position. */
function parametersOf({ services }: Model): Record<string, Record<"path" | "parameters", readonly string[]>> {
  const names = (fields: readonly Field[]) => fields.map(({ name }) => name);
  return Object.fromEntries(
    services
      .flatMap((service) => service.operations)
      .map(({ id, pathParameters, parameters }) => [
        id,
        { path: names(pathParameters), parameters: names(parameters) },
      ]),
  );
}

function parseResults(output: string): Map<string, Result> {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const results: Result[] = lines.map((line) => JSON.parse(line));
  return new Map(results.map((result) => [result.name, result]));
}

async function runAll(place: Place, chosen: readonly Language[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const language of chosen) {
    const missing = await missingFor(language);
    if (missing !== undefined) {
      runs.push({
        language: language.name,
        transport: "-",
        results: [{ name: "all", status: "skipped", reason: missing }],
        seconds: 0,
      });
      continue;
    }
    const startedMs = performance.now();
    const failure = await prepare(language);
    if (failure !== undefined) {
      runs.push({
        language: language.name,
        transport: "-",
        results: [{ name: "build", status: "failed", reason: failure }],
        seconds: secondsSince(startedMs),
      });
      continue;
    }
    for (const transport of language.transports) {
      const transportStartedMs = performance.now();
      const results = await runLanguage(place, language, transport);
      runs.push({ language: language.name, transport, results, seconds: secondsSince(transportStartedMs) });
    }
    if (language.packageTests !== undefined) {
      const packageStartedMs = performance.now();
      const results = await testPackage(place, language, language.packageTests);
      runs.push({ language: language.name, transport: "package", results, seconds: secondsSince(packageStartedMs) });
    }
  }
  return runs;
}

/** Why the runner cannot be built; undefined if it is. */
async function prepare({ prepare: commands, folder }: Language): Promise<string | undefined> {
  for (const command of commands) {
    const { code, output, log } = await execute(command, folder);
    if (code !== 0) {
      return `\`${command.join(" ")}\` ended with ${code}:\n${output}${log}`;
    }
  }
  return undefined;
}

function secondsSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) / 100) / 10;
}

function countOf(results: readonly Result[], status: Result["status"]): number {
  return results.filter((result) => result.status === status).length;
}

function print(runs: readonly Run[]): void {
  console.log("language      transport  passed  failed  skipped  seconds");
  for (const { language, transport, results, seconds } of runs) {
    const counts = (["passed", "failed", "skipped"] as const).map((status) =>
      String(countOf(results, status)).padStart(6),
    );
    console.log(`${language.padEnd(14)}${transport.padEnd(9)}${counts.join("  ")}  ${String(seconds).padStart(9)}`);
  }
  for (const { language, transport, results } of runs) {
    for (const { name, status, reason } of results.filter((result) => result.status !== "passed")) {
      console.log(`${status} ${language} ${transport}: ${name}\n  ${(reason ?? "").replaceAll("\n", "\n  ")}`);
    }
  }
}

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { report: { type: "string" } } });
const unknown = positionals.find((name) => !languages.some((language) => language.name === name));
if (unknown !== undefined) {
  throw new Error(`there is no SDK in ${unknown}, but in ${languages.map(({ name }) => name).join(", ")}`);
}
const chosen = languages.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

await using folder = await makeFolder();
const sms = await HttpFake.open();
await using server = new MainProcess({
  environment: {
    PORT: "0",
    DATA_DIR: folder.path,
    SIGN_UP_LIMIT: "1000000",
    DEFAULT_TIER: "unlimited",
    ALLOW_FIXED_CODES: "1",
    // The guard judges only what could be sent.
    SMS_URL: sms.url,
    PROVIDER_SECRET: "a secret of thirty-two bytes or more",
  },
  cwd: root,
});
const receiver = createServer((request, response) => {
  request.resume().on("end", () => response.end());
}).listen(0, "127.0.0.1");
await once(receiver, "listening");
const serverUrl = await server.url();
const [, inboxLink = ""] = await server.wrote(/The inbox, .*: (\S+)\n/);
const inbox = await Inbox.open(inboxLink);
await using proxy = await FaultProxy.start(serverUrl);
const { port } = receiver.address() as AddressInfo;
const receiverUrl = `http://127.0.0.1:${port}/hook`;
const place = { serverUrl, inbox, proxy, receiverUrl, cases: await readCases(), model: await modelOfSchema() };
const runs = await runAll(place, chosen);
receiver.close();
await sms.close();
print(runs);

const results = runs.flatMap((run) => run.results);
const failed = countOf(results, "failed");
if (options.report !== undefined) {
  const testResults = runs.map(({ language, transport, results }) => ({
    name: `${language} over ${transport}`,
    status: countOf(results, "failed") === 0 ? "passed" : "failed",
    assertionResults: results.map(({ name, status, reason = "" }) => ({
      fullName: name,
      status,
      failureMessages: [reason],
    })),
  }));
  const report = { numPassedTests: countOf(results, "passed"), numFailedTests: failed, testResults };
  await writeFile(options.report, JSON.stringify(report));
}
process.exitCode = failed === 0 ? 0 : 1;
