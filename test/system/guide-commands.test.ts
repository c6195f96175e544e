/** The shell commands of each chapter, run in order as they stand there, in one shell. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { chapterNames, codeBlocks } from "../capabilities/reference/guide-chapter.ts";
import { startTestApp } from "../support/app.ts";

const run = promisify(execFile);

/** The quickstart asks the reader to paste a key; `quickstart.test.ts` runs it. The introduction exports a key that is none. */
const notRun: ReadonlySet<string> = new Set(["quickstart", "introduction"]);

const hasGrpcurl = spawnSync("grpcurl", ["-version"]).status === 0;

const chapters = chapterNames
  .filter((name) => !notRun.has(name))
  .map((name) => ({ name, blocks: codeBlocks(name, "bash") }))
  .filter(({ blocks }) => blocks.length > 0)
  .map(({ name, blocks }) => ({ name, blocks: blocks.filter((block) => hasGrpcurl || !block.includes("grpcurl")) }));

/** What commands answer with an error, on purpose. */
const expectedErrors: Readonly<Record<string, readonly string[]>> = { errors: ["validation_error"] };

test("most chapters have commands", () => {
  expect(chapters.length).toBeGreaterThan(12);
});

describe("the commands work as pasted", () => {
  test.each(chapters)("of $name", async ({ name, blocks }) => {
    await using app = await startTestApp();
    const { session } = await app.signUp();
    const body = { name: "guide", mode: "test", scopes: ["*"] };
    const { body: created } = await app.rest("POST", "/api-keys", { session, body });
    const { stdout } = await run("bash", ["-c", ["set -euo pipefail", ...blocks].join("\n")], {
      env: { ...process.env, BYOND_URL: app.url, BYONDAPI_KEY: created.key, JWT: session },
    });
    const errors = [...stdout.matchAll(/"error":\{"code":"(\w+)"/g)].map(([, code]) => code);
    expect(errors, stdout).toEqual(expectedErrors[name] ?? []);
    expect(stdout.trim()).not.toBe("");
  });

  test("a retry with an Idempotency-Key gets the first response", async () => {
    await using app = await startTestApp();
    const { stdout } = await run("bash", ["-c", codeBlocks("idempotency", "bash")[0] ?? ""], {
      env: { ...process.env, BYOND_URL: app.url, BYONDAPI_KEY: await app.mintKey({ mode: "test" }) },
    });
    const ids = [...stdout.matchAll(/"verification_id":"(\w+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test.each(["verification", "test-mode"])("the code of %s is approved", async (name) => {
    await using app = await startTestApp();
    const { session } = await app.signUp();
    const { stdout } = await run("bash", ["-c", codeBlocks(name, "bash").join("\n")], {
      env: { ...process.env, BYOND_URL: app.url, BYONDAPI_KEY: await app.mintKey({ mode: "test" }), JWT: session },
    });
    expect(stdout).toContain('"status":"approved"');
  });
});
