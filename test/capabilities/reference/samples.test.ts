import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";
import { DocumentReader, type PlacedOperation } from "./openapi-document.ts";
import { createWorld, type World } from "./operation-calls.ts";

const run = promisify(execFile);

const app = useTestApp();
let world: World;
let reader: DocumentReader;
beforeAll(async () => {
  world = await createWorld(app);
  reader = new DocumentReader(JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text()));
});

function sampleOf({ operation }: PlacedOperation, label: string): string {
  const source = operation["x-codeSamples"].find((sample) => sample.label === label)?.source;
  if (source === undefined) {
    throw new Error(`${operation.operationId} has no sample in ${label}`);
  }
  return source;
}

function environment() {
  return { ...process.env, BYONDAPI_KEY: world.sandboxKey, JWT: world.session };
}

/** Samples name things that are not there, or are there already: that is what they may be answered. */
const allowed = new Set([200, 201, 401, 404, 409]);

/** Calls that would end the session that the others use, and one that does not end. */
const notRun = new Set(["logoutAll", "deleteAccount", "changePassword", "streamEvents"]);

describe("samples work as pasted", () => {
  test("curl", async () => {
    const places = reader.operations().filter(({ operation }) => !notRun.has(operation.operationId));
    const samples = places.map((place) =>
      sampleOf(place, "curl").replace(/^curl /, "curl -sS -o /dev/null -w '%{http_code}\\n' "),
    );
    const { stdout } = await run("bash", ["-c", ["set -e", ...samples].join("\n")], { env: environment() });
    const statuses = stdout.trim().split("\n").map(Number);
    expect(statuses).toHaveLength(samples.length);
    for (const [index, status] of statuses.entries()) {
      expect([...allowed], samples[index]).toContain(status);
    }
  });

  test("fetch", async () => {
    const places = reader.operations().filter(({ operation }) => !notRun.has(operation.operationId));
    const samples = places.map((place) => sampleOf(place, "fetch"));
    const each =
      "for (const code of process.argv.slice(1)) await import('data:text/javascript,' + encodeURIComponent(code))";
    const quiet = samples.map((sample) =>
      sample.replace("console.log(response.status, data)", "console.log(response.status)"),
    );
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", each, ...quiet], {
      env: environment(),
    });
    const statuses = stdout.trim().split("\n").map(Number);
    expect(statuses).toHaveLength(samples.length);
    for (const [index, status] of statuses.entries()) {
      expect([...allowed], samples[index]).toContain(status);
    }
  });

  // Only its syntax: `requests` does not come with Python, and neither comes with Node.js.
  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  test.skipIf(!hasPython)("Python", async () => {
    const samples = reader.operations().map((place) => sampleOf(place, "Python"));
    await run("python3", ["-c", "import sys\nfor code in sys.argv[1:]: compile(code, code, 'exec')", ...samples]);
  });

  test("samples take the credential from the environment, if the operation needs one", () => {
    for (const { operation } of reader.operations()) {
      for (const { source } of operation["x-codeSamples"]) {
        expect(/BYONDAPI_KEY|JWT/.test(source), operation.operationId).toBe(operation.security.length > 0);
        expect(source).toContain(`${app.url}/api/v1/`);
      }
    }
  });
});
