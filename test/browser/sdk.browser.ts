/** The TypeScript SDK, as it is compiled, in a page of another origin. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage } from "./browser.ts";

const sdk = join(import.meta.dirname, "../../sdk/typescript");

let browser: Browser;
let site: Server;
let origin: string;
let app: TestApp;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["build.ts"], { cwd: sdk });
  site = createServer(async ({ url = "/" }, response) => {
    if (url.endsWith(".js")) {
      response.setHeader("Content-Type", "text/javascript").end(await readFile(join(sdk, url)));
    } else {
      response
        .setHeader("Content-Type", "text/html")
        .end("<!doctype html><link rel=icon href=data:,><title>A page</title>");
    }
  }).listen(0, "127.0.0.1");
  await once(site, "listening");
  const address = site.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  app = await startTestApp({ corsOrigins: [origin] });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
  site.close();
});

/** Runs a script with the SDK in a page, and returns what it returns. */
async function inPage(script: string): Promise<unknown> {
  await using watched = await openPage(browser);
  await watched.page.goto(origin);
  return await watched.page.evaluate(
    `import("/dist/index.js").then(async ({ Byond, verifyWebhook, signWebhook }) => { ${script} })`,
  );
}

test("a secret key throws before anything is sent", async () => {
  const message = await inPage(
    `try { new Byond({ apiKey: "pk_live_0123.secret" }) } catch (error) { return error.message }`,
  );
  expect(message).toMatch(/must not be in a browser/);
});

test("a session calls, lists, follows events and gets errors", async () => {
  const { session } = await app.signUp();
  const outcome = await inPage(`
    const byond = new Byond({ baseUrl: ${JSON.stringify(app.url)}, accessToken: ${JSON.stringify(session)}, mode: "test" });
    const { keyPrefix } = await byond.keys.create({ name: "from a page", mode: "test" });
    const names = [];
    for await (const { name } of byond.keys.list({ pageSize: 1 })) names.push(name);
    for await (const event of byond.events.stream({ after: "start", types: ["api_key.created"] })) {
      names.push(event.data.keyPrefix === keyPrefix, event.createdAt instanceof Date);
      break;
    }
    const error = await byond.keys.get("key_none").catch((error) => error);
    return [...names, error.name, error.code, error.status];
  `);
  expect(outcome).toEqual(["from a page", true, true, "ByondError", "not_found", 404]);
});

test("webhooks can be signed and verified", async () => {
  const outcome = await inPage(`
    const [secret, body] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"id":"evt_1","type":"ping","data":null}'];
    const { type } = await verifyWebhook(await signWebhook({ id: "evt_1", body, secret }), body, secret);
    return type;
  `);
  // Pages that are not secure contexts have no WebCrypto; 127.0.0.1 is one.
  expect(outcome).toBe("ping");
});
