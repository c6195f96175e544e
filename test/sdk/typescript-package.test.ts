/** The npm package of the TypeScript SDK, installed into an empty project. */
import { execFile, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import rootPackage from "../../package.json" with { type: "json" };
import sdkPackage from "../../sdk/typescript/package.json" with { type: "json" };
import { useTestApp } from "../support/app.ts";
import { makeFolder, root } from "../system/main-process.ts";

const run = promisify(execFile);
const hasNpm = spawnSync("npm", ["--version"]).status === 0;
const app = useTestApp();

describe.skipIf(!hasNpm)("the package byond-sdk", () => {
  let project = "";

  beforeAll(async () => {
    const folder = await makeFolder();
    project = folder.path;
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", project], {
      cwd: join(root, "sdk/typescript"),
    });
    await writeFile(join(project, "package.json"), '{"private": true}');
    const archive = join(project, stdout.trim().split("\n").at(-1) ?? "");
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", archive], { cwd: project });
    return () => folder[Symbol.asyncDispose]();
  });

  test("has the version and the licence of the server, and nothing but JavaScript, types and texts", async () => {
    const { version, license } = sdkPackage;
    expect({ version, license }).toEqual({ version: rootPackage.version, license: rootPackage.license });
    const files = globSync("**/*", { cwd: join(project, "node_modules/byond-sdk"), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(files.filter((name) => !/\.(?:js|d\.ts)$/.test(name)).sort()).toEqual([
      "LICENSE",
      "README.md",
      "package.json",
    ]);
  });

  test("imports nothing, except for gRPC", async () => {
    const dist = join(project, "node_modules/byond-sdk/dist");
    const needs: string[] = [];
    for (const file of globSync("**/*.js", { cwd: dist })) {
      const code = await readFile(join(dist, file), "utf8");
      const foreign = [...code.matchAll(/\bfrom "([^".][^"]*)"|\bimport\("([^".][^"]*)"/g)];
      needs.push(...(foreign.length === 0 ? [] : [file]));
    }
    expect(needs.sort()).toEqual(["grpc.js"]);
  });

  test("documents everything that is public", async () => {
    const dist = join(project, "node_modules/byond-sdk/dist");
    const index = await readFile(join(dist, "index.d.ts"), "utf8");
    const modules = [...index.matchAll(/from "\.\/([^"]+)\.js"/g)].map(([, path]) => `${path}.d.ts`);
    const bare: string[] = [];
    for (const file of [...new Set(modules), "grpc.d.ts"]) {
      const lines = (await readFile(join(dist, file), "utf8")).split("\n");
      // Declarations, and their members. `then` is what makes a list a promise.
      const isPublic = (line: string) =>
        /^(?:export (?:declare|interface|type) | {4}(?:readonly|get|\w+[(<]))/.test(line);
      bare.push(
        ...lines.filter(
          (line, index) =>
            isPublic(line) && !/^ {4}(?:constructor\(|then<)/.test(line) && !/\*\/$/.test(lines[index - 1] ?? ""),
        ),
      );
    }
    expect(modules.length).toBeGreaterThan(8);
    expect(bare).toEqual([]);
  });

  test("does what the first lines of its README say, as pasted", async () => {
    const { session } = await app.signUp();
    const { key } = (await app.rest("POST", "/api-keys", { session, body: { name: "try", mode: "test" } })).body;
    const readme = await readFile(join(project, "node_modules/byond-sdk/README.md"), "utf8");
    const [, code = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
    expect(
      code
        .trim()
        .split("\n")
        .filter((line) => line !== ""),
    ).toHaveLength(4);
    await writeFile(join(project, "try.mjs"), code);
    const { stdout } = await run(process.execPath, ["try.mjs"], {
      cwd: project,
      env: { BYOND_URL: app.url, BYONDAPI_KEY: key },
    });
    expect(stdout).toMatch(/^\{ verificationId: 'vrf_\w{22}', status: 'approved' \}\n$/);
  });

  test("has types that need nothing but those of fetch", async () => {
    await writeFile(
      join(project, "types.ts"),
      `import { Byond, ByondError, verifyWebhook, type ApiKey, type Event } from "byond-sdk";
const byond = new Byond({ apiKey: "pk_test_x" });
export async function use(): Promise<ApiKey | undefined> {
  for await (const event of byond.events.stream({ types: ["verification.approved"] })) {
    if (event.type === "verification.approved") return show(event.data.approvedAt);
    if (event.type === "api_key.created") return event.data;
  }
  const event: Event | { type: "ping" } = await verifyWebhook(new Headers(), "", "whsec_");
  // @ts-expect-error: a channel that does not exist
  await byond.verify.start({ channel: "fax", recipient: event.type });
  // @ts-expect-error: the recipient is required
  await byond.verify.start({ channel: "sms" });
  const { items } = await byond.keys.list();
  return items[0];
}
function show(at: Date | null): undefined {
  throw new ByondError(String(at?.getTime()), { code: "internal" });
}
`,
    );
    expect(await typeProblems("types.ts")).toBe("");
  });

  test("has a README whose every block of code has the right names and types", async () => {
    const readme = await readFile(join(project, "node_modules/byond-sdk/README.md"), "utf8");
    const blocks = [...readme.matchAll(/^ *```js\n(.*?)^ *```/gms)].map(([, code = ""]) => code);
    expect(blocks.length).toBeGreaterThan(6);
    const modules = blocks.map((code, index) => [`readme-${index}.ts`, asModule(code)] as const);
    for (const [name, code] of modules) {
      await writeFile(join(project, name), code);
    }
    // gRPC needs packages that are not installed here.
    const names = modules.filter(([, code]) => !code.includes("byond-sdk/grpc")).map(([name]) => name);
    expect(await typeProblems("--noImplicitAny", "false", ...names)).toBe("");
  });

  /** What the compiler says about files of the project, with the types of the web alone. */
  async function typeProblems(...args: readonly string[]): Promise<string> {
    const libraries = ["--target", "es2022", "--lib", "es2022,dom,dom.asynciterable", "--types", ""];
    const options = ["--strict", "--noEmit", "--module", "nodenext", ...libraries, ...args];
    const check = await run(join(root, "node_modules/.bin/tsc"), options, { cwd: project }).catch(
      (error: { readonly stdout: string }) => error,
    );
    return check.stdout;
  }
});

/** A block of the README as a module: with what it takes for granted, and in a function where it is not one itself. */
function asModule(code: string): string {
  const lines = code.split("\n");
  const isImport = (line: string) => /^ *import /.test(line);
  const body = lines.filter((line) => !isImport(line)).join("\n");
  return `import { Byond, ByondError } from "byond-sdk";
${lines.filter((line) => isImport(line) && !/\{ Byond[ ,}]/.test(line)).join("\n")}
import * as sdk from "byond-sdk";
const { sandboxCode } = sdk;
declare const process: { readonly env: Record<string, string> };
declare const given: Record<"recipient" | "email" | "password", string> & { signal: AbortSignal };
declare function tryAgainIn(seconds: number | undefined): void;
declare function approve(verificationId: string): Promise<void>;
const { recipient, email, password, signal } = given;
let lastSeen: string | undefined;
${body.includes("const byond =") ? "" : "const byond = new Byond();"}
${body.includes("export ") ? body : `export async function block() {\n${body}\n}`}
`;
}
