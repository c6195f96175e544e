/** The npm packages, each installed into an empty folder, with nothing else of this repository: what their READMEs say works as pasted. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../generators/run-command.ts";
import { freePort } from "../support/free-port.ts";
import { MainProcess } from "../system/main-process.ts";
import { readBlocks } from "../system/readme-blocks.ts";
import { readSection } from "./guide-sections.ts";

const root = join(import.meta.dirname, "../..");
/** The Node of the tests before the machine's, which may be too old for packages of others. */
const environment = { PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
/** What somebody has who has nothing of this repository: the machine's npm, and its Node, whatever its version. */
const machine = {
  PATH: (process.env.PATH ?? "")
    .split(delimiter)
    .filter((path) => !path.includes("node_modules"))
    .join(delimiter),
};

let folder: string;
let server: string;
let gateway: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-packages-"));
  const output = await runCommand("npm", ["run", "--silent", "pack", "--", join(folder, "packages")], {
    cwd: root,
    environment: machine,
  });
  [server = "", gateway = ""] = output.trim().split("\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function emptyFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

test("byond: installed into an empty folder it starts, answers the README's first calls, and stops", async () => {
  const cwd = await emptyFolder("server");
  await runCommand("npm", ["install", "--no-audit", "--no-fund", server], { cwd, environment: machine });
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  // npx finds the Node that the package brings before the machine's.
  expect(await runCommand("npx", ["byond", "--version"], { cwd, environment: machine })).toBe(`${version}\n`);
  expect(await runCommand("npx", ["byond", "--help"], { cwd, environment: machine })).toContain(
    "Usage: byond [command] [options]",
  );

  const bin = join(cwd, "node_modules/.bin");
  await using main = new MainProcess({
    command: [join(bin, "byond")],
    cwd,
    environment: { PATH: `${bin}${delimiter}${machine.PATH}`, PORT: "0" },
  });
  const url = await main.url();
  await main.wrote(/\/dev\/inbox\?token/);
  const exports = Array.from(main.output.matchAll(/^ +(export .*)$/gm), ([, line = ""]) => line);
  const script = ["set -eo pipefail", ...exports, ...(await readBlocks("First calls"))].join("\n");
  const output = await runCommand("bash", ["-c", script], { cwd: await emptyFolder("calls") });
  expect(output).toContain('"status":"pending"');
  expect(output).toContain('"status":"approved"');
  expect(output).not.toMatch(/"error":\{/);
  for (const path of ["/docs", "/docs/errors", "/console/", "/openapi.json", "/protos.tar.gz", "/byond.binpb"]) {
    expect((await fetch(url + path)).status, path).toBe(200);
  }
  expect(await (await fetch(`${url}/console/`)).text()).toContain("<script");
  expect(await main.stop()).toEqual({ code: 0, signal: null });
});

test("connect-rest-gateway: the bookshop of its README is served over REST and gRPC", async () => {
  const cwd = await emptyFolder("bookshop");
  const readme = await readFile(join(root, "src/rest/README.md"), "utf8");
  const { script, files } = readSection("A bookshop", readme);
  for (const [path, text] of files) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), text);
  }
  const port = await freePort();
  const grpcPort = await freePort();
  const pasted = script
    .replace("npm install connect-rest-gateway", `npm install "${gateway}"`)
    .replace(
      "node server.js &",
      `node server.js &\nuntil curl -s http://127.0.0.1:8080/ > /dev/null; do sleep 0.1; done`,
    )
    .replaceAll(":8080/", `:${port}/`)
    .replaceAll(":8081/", `:${grpcPort}/`);
  const output = await runCommand("bash", ["-euc", `trap 'kill $(jobs -p)' EXIT\n${pasted}`], {
    cwd,
    environment: { ...environment, PORT: String(port), GRPC_PORT: String(grpcPort) },
  });
  const ulysses = '{"name":"books/1","title":"Ulysses","genre":"novel"}';
  expect(output.split(ulysses)).toHaveLength(3);
  expect(output.replaceAll(/\s/g, "")).toContain('{"name":"books/1","title":"Ulysses","genre":"GENRE_NOVEL"}');

  // Its types are checked as somebody sees them who checks those of packages, too.
  await writeFile(
    join(cwd, "typed.ts"),
    `import { createGateway, type Gateway } from "connect-rest-gateway/gateway";
import { restJson } from "connect-rest-gateway/json/json-style";
import { buildOpenApi } from "connect-rest-gateway/openapi/openapi-document";
export const gateway: Gateway = createGateway({ services: [], interceptors: [], json: restJson, errorResponse: () => ({ status: 500, body: null }) });
export const document = buildOpenApi({ info: {}, services: [], json: restJson });
`,
  );
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext", "--types", "node"];
  const typeRoots = ["--typeRoots", join(root, "node_modules/@types")];
  await runCommand(join(root, "node_modules/.bin/tsc"), [...options, ...typeRoots, "typed.ts"], { cwd, environment });

  const installed = join(cwd, "node_modules/connect-rest-gateway");
  const mentions = await runCommand("bash", ["-c", "grep -rli byond . || true"], { cwd: installed });
  expect(mentions).toBe("");
  expect(await readFile(join(installed, "LICENSE"), "utf8")).toContain("Apache License");
});
