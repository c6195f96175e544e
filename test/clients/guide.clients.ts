/** `npm run test:clients`: the sections of docs/guides/clients.md, each in an empty folder, as they are pasted; and errors, as grpcurl shows them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../generators/run-command.ts";
import { useTestApp } from "../support/app.ts";
import { fetchSchema, readSection } from "./guide-sections.ts";
import { bin, installProtoc, missingOf, toolEnvironment } from "./toolchains.ts";

const sections: readonly (readonly [title: string, programs: readonly string[]])[] = [
  ["grpcurl", ["go"]],
  ["Go", ["go", "python3"]],
  ["Java", ["mvn"]],
  ["Python", ["python3"]],
  ["Rust", ["cargo", "python3"]],
];

const app = useTestApp();
const table: { readonly client: string; readonly result: string }[] = [];
let environment: Readonly<Record<string, string>>;
let folder: string;

beforeAll(async () => {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "clients", mode: "test" } });
  environment = {
    ...toolEnvironment,
    BYOND_URL: app.url,
    BYOND_GRPC: new URL(app.url).host,
    BYONDAPI_KEY: body.key,
  };
  folder = await mkdtemp(join(tmpdir(), "byond-clients-"));
  if (missingOf(["python3"]) === undefined) {
    await installProtoc();
  }
});
afterAll(async () => {
  console.table(table);
  // Go makes the files of its modules read-only.
  await rm(folder, { recursive: true, force: true });
});

describe("the guide", () => {
  for (const [title, programs] of sections) {
    const missing = missingOf(programs);
    if (missing !== undefined) {
      table.push({ client: title, result: `skipped: ${missing} is not installed` });
    }

    test.skipIf(missing !== undefined)(
      `${title}: an empty folder becomes a client that starts a verification`,
      async () => {
        // Every section sends a code to the same recipient, which gets three at once, then one a minute.
        await app.time.advance({ seconds: 60 });
        const startedMs = performance.now();
        const { script, files } = readSection(title);
        const cwd = join(folder, title);
        for (const [path, text] of files) {
          await mkdir(dirname(join(cwd, path)), { recursive: true });
          await writeFile(join(cwd, path), text);
        }
        await mkdir(cwd, { recursive: true });
        const output = await runCommand("bash", ["-euo", "pipefail", "-c", `${fetchSchema}\n${script}`], {
          cwd,
          environment,
        });
        expect(output).toMatch(/\bvrf_\w{22}\b/);
        table.push({ client: title, result: `${((performance.now() - startedMs) / 1_000).toFixed(1)} s` });
      },
    );
  }
});

describe.skipIf(missingOf(["go"]) !== undefined)("grpcurl shows the detail of an error", () => {
  test.each([
    ["with nothing but reflection", ""],
    ["with nothing but the descriptor set", '-protoset <(curl -s "$BYOND_URL/byond.binpb")'],
    ["with nothing but the archive", "-import-path protos -proto byond/v1/verify.proto -proto byond/v1/error.proto"],
  ])("%s", async (_, schema) => {
    const cwd = await mkdtemp(join(folder, "errors-"));
    const call = `"${bin}/grpcurl" -plaintext ${schema} -d '{}' "$BYOND_GRPC" byond.v1.VerifyService/StartVerification`;
    const output = await runCommand("bash", ["-euo", "pipefail", "-c", `${fetchSchema}\n${call} 2>&1 || true`], {
      cwd,
      environment,
    });
    expect(output).toContain('"@type": "type.googleapis.com/byond.v1.ErrorInfo"');
    expect(output).toContain('"code": "invalid_api_key"');
  });
});
