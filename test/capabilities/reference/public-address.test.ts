/** The pages of the reference are public, and have the server's address in them: the configured one, as text, never the request's. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { htmlFaults } from "./html-faults.ts";

const publicUrl = "https://codes.example.com/a\"b'<img src=x onerror=alert(1)>&$&`c)d*_e_";
let app: TestApp;
let port: number;
beforeAll(async () => {
  port = await freePort();
  app = await startTestApp({ port, publicUrl });
});
afterAll(() => app[Symbol.asyncDispose]());

/** Over the port that the server listens on, with a `Host` of another server. */
async function get(path: string): Promise<string> {
  const outgoing = request({ host: "127.0.0.1", port, path, headers: { Host: "other.example" } }).end();
  return new Promise((resolve, reject) => {
    outgoing.on("response", (response) => resolve(text(response))).on("error", reject);
  });
}

test("an address with characters of HTML is text in every page", async () => {
  const home = await get("/docs");
  const paths = new Set([...home.matchAll(/ href="(docs[^".#]*)"/g)].map(([, path]) => `/${path}`));
  expect(paths.size).toBeGreaterThan(30);
  for (const path of paths) {
    const page = await get(path);
    expect(htmlFaults(page), path).toEqual([]);
    expect(page, path).not.toMatch(/<img src="?x|other\.example/);
  }
});

test("it is the same in the document, as JSON and as YAML, and no file has the Host of the request", async () => {
  const json = await get("/openapi.json");
  const servers = [{ url: `${publicUrl}/api/v1`, description: "This server" }];
  expect(JSON.parse(json).servers).toEqual(servers);
  expect(parse(await get("/openapi.yaml"), { version: "1.1" })).toEqual(JSON.parse(json));
  for (const path of ["/openapi.json", "/openapi.yaml", "/docs.md", "/docs/search.json", "/llms.txt"]) {
    expect(await get(path), path).not.toContain("other.example");
  }
});
