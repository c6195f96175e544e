import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { standardCapabilities } from "../../../src/app.ts";
import { consoleCapability } from "../../../src/capabilities/console/console.capability.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";

const script = `console.log(${JSON.stringify("a script ".repeat(300))});`;
const indexHtml = `<!doctype html><title>Byond</title><link rel="icon" href="./assets/icon-1.svg"><script type="module" src="./assets/index-1.js"></script>`;

let folder: string;
let app: TestApp;

/** The standard capabilities, with the console that is built in a folder. */
function withConsole(built: string) {
  return standardCapabilities().map((each) => (each.name === "console" ? consoleCapability({ folder: built }) : each));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-console-"));
  await mkdir(join(folder, "assets"));
  await Promise.all([
    writeFile(join(folder, "index.html"), indexHtml),
    writeFile(join(folder, "build.json"), "{}"),
    writeFile(join(folder, "assets/index-1.js"), script),
    writeFile(join(folder, "assets/index-1.js.br"), brotliCompressSync(script)),
    writeFile(join(folder, "assets/index-1.js.gz"), gzipSync(script)),
    writeFile(join(folder, "assets/icon-1.svg"), "<svg/>"),
  ]);
  app = await startTestApp({}, { capabilities: withConsole(folder) });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request as it is written, whose answer is not decompressed. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET", base = app.url): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(base, { path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on("error", reject).end();
  });
}

const browser = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe("the address of the server", () => {
  test("leads browsers to the console, and programs to the reference", async () => {
    expect(await ask("/", browser)).toMatchObject({ status: 302, headers: { location: "console/", vary: "Accept" } });
    for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/json" }]) {
      expect(await ask("/", headers)).toMatchObject({ status: 302, headers: { location: "docs", vary: "Accept" } });
    }
    expect((await ask("/", {}, "OPTIONS")).status).toBe(204);
    expect(await ask("/console", browser)).toMatchObject({ status: 308, headers: { location: "console/" } });
  });
});

describe("a page of the console", () => {
  test.each(["/console/", "/console/keys", "/console/keys/key_1?mode=test", "/console/verifications/a.b"])(
    "%s is the same HTML, never kept without asking, with nothing inline and nothing from elsewhere",
    async (path) => {
      const { status, headers, body } = await ask(path, browser);
      expect(status).toBe(200);
      expect(headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(headers["cache-control"]).toBe("no-cache");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["referrer-policy"]).toBe("same-origin");
      const policy = String(headers["content-security-policy"]);
      for (const directive of [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        expect(policy.split("; ")).toContain(directive);
      }
      expect(policy).not.toMatch(/unsafe|http|\*/);
      expect(body.toString()).toContain('src="/console/assets/index-1.js"');
      expect(body.toString()).toContain('href="/console/assets/icon-1.svg"');
    },
  );

  test("is not sent again if the browser has it", async () => {
    const first = await ask("/console/", browser);
    const again = await ask("/console/keys", { ...browser, "If-None-Match": String(first.headers.etag) });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  test("names its files below the path that PUBLIC_URL has", async () => {
    const port = await freePort();
    const options = { capabilities: withConsole(folder) };
    await using _ = await startTestApp({ port, publicUrl: "https://verify.example.com/byond" }, options);
    const { body } = await ask("/console/keys", browser, "GET", `http://127.0.0.1:${port}`);
    expect(body.toString()).toContain('src="/byond/console/assets/index-1.js"');
  });

  test("takes no other method than GET and HEAD", async () => {
    expect((await ask("/console/keys", browser, "HEAD")).body).toHaveLength(0);
    expect((await ask("/console/keys", browser, "POST")).status).toBe(404);
    expect((await ask("/console/assets/index-1.js", {}, "DELETE")).status).toBe(404);
  });
});

describe("a file of the console", () => {
  test("is kept for ever, and sent as it was compressed by the build", async () => {
    for (const [accepted, encoding, bytes] of [
      ["gzip, deflate, br", "br", brotliCompressSync(script)],
      ["gzip", "gzip", gzipSync(script)],
      ["identity", undefined, Buffer.from(script)],
    ] as const) {
      const { status, headers, body } = await ask("/console/assets/index-1.js", { "Accept-Encoding": accepted });
      expect(status).toBe(200);
      expect(headers["content-encoding"]).toBe(encoding);
      expect(body.equals(bytes)).toBe(true);
      expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
      expect(headers.vary).toBe("Accept-Encoding");
      const again = await ask("/console/assets/index-1.js", {
        "Accept-Encoding": accepted,
        "If-None-Match": String(headers.etag),
      });
      expect(again.status).toBe(304);
    }
  });

  test.each([
    "/console/assets/index-2.js",
    "/console/assets/",
    "/console/assets/../build.json",
    "/console/assets/%2e%2e/build.json",
    "/console/assets/index-1.js.br",
  ])("that is not there is a 404, not a page: %s", async (path) => {
    expect(await ask(path, { Accept: "*/*" })).toMatchObject({ status: 404 });
  });

  test("that another build has removed is a 404", async () => {
    await writeFile(join(folder, "assets/old-1.js"), script);
    await using other = await startTestApp({}, { capabilities: withConsole(folder) });
    await rm(join(folder, "assets/old-1.js"));
    expect((await ask("/console/assets/old-1.js", {}, "GET", other.url)).status).toBe(404);
  });

  test("outside the assets is none: the record of the build is not served", async () => {
    expect((await ask("/console/build.json")).headers["content-type"]).toBe("text/html; charset=utf-8");
  });
});

test("without a built console the server works, and says how to build it", async () => {
  const empty = join(folder, "nothing");
  await using other = await startTestApp({}, { capabilities: withConsole(empty) });
  const { status, body, headers } = await ask("/console/", browser, "GET", other.url);
  expect(status).toBe(200);
  expect(body.toString()).toContain("npm run build:console");
  expect(headers["cache-control"]).toBe("no-store");
  expect((await ask("/console/keys", browser, "GET", other.url)).status).toBe(404);
  expect((await ask("/healthz", {}, "GET", other.url)).status).toBe(200);
});
