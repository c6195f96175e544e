/** Calls from pages of other origins, as a browser makes them. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage } from "./browser.ts";

let browser: Browser;
let named: Site;
let stranger: Site;
let app: TestApp;
let key: string;

interface Site {
  readonly server: Server;
  readonly origin: string;
}

/** A site with an empty page. */
async function startSite(): Promise<Site> {
  const server = createServer((_request, response) => {
    response
      .setHeader("Content-Type", "text/html")
      .end("<!doctype html><link rel=icon href=data:,><title>A page</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, origin: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}` };
}

beforeAll(async () => {
  [named, stranger] = await Promise.all([startSite(), startSite()]);
  app = await startTestApp({ corsOrigins: [named.origin] });
  key = await app.mintKey({ mode: "test" });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
  named.server.close();
  stranger.server.close();
});

interface Call {
  readonly credentials?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What a script of the page sees of a call; the name of the error where the browser keeps the answer to itself. */
async function callFrom(origin: string, path: string, call: Call = {}): Promise<Seen | string> {
  await using watched = await openPage(browser);
  const { page } = watched;
  await page.goto(origin);
  const argument = JSON.stringify([app.url + path, { credentials: "include", ...call }]);
  return await page.evaluate<Seen | string>(`(async () => {
    try {
      const response = await fetch(...${argument});
      return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
    } catch (error) {
      return error.name;
    }
  })()`);
}

const json = { "Content-Type": "application/json" };

describe("a page of an allowed origin", () => {
  // With cookies, a browser wants an Access-Control-Allow-Credentials that is never there.
  const withoutCookies = { credentials: "omit" };

  test("calls REST, and reads the answer, its headers and a refusal", async () => {
    const headers = { ...json, "X-API-Key": key, "Idempotency-Key": "browser", "Byond-Version": "2026-06-15" };
    const body = JSON.stringify({ channel: "email", recipient: "page@example.com" });
    const started = await callFrom(named.origin, "/api/v1/verify/start", {
      method: "POST",
      headers,
      body,
      ...withoutCookies,
    });
    expect(started).toMatchObject({ status: 201, headers: { "x-request-id": expect.stringMatching(/^req_/) } });
    expect(started).toHaveProperty("headers.byond-version");
    const refused = await callFrom(named.origin, "/api/v1/lookup?number=1", withoutCookies);
    expect(refused).toMatchObject({ status: 401, headers: { "www-authenticate": 'Bearer realm="Byond"' } });
    expect(await callFrom(named.origin, "/api/v1/nowhere", { method: "DELETE", ...withoutCookies })).toMatchObject({
      status: 404,
      text: expect.stringContaining('"not_found"'),
    });
  });

  test("calls Connect and gRPC-Web", async () => {
    const path = "/byond.v1.LookupService/LookupNumber";
    const connect = { ...json, "X-API-Key": key, "Connect-Protocol-Version": "1", "Connect-Timeout-Ms": "5000" };
    const body = JSON.stringify({ number: "+6591234567" });
    expect(
      await callFrom(named.origin, path, { method: "POST", headers: connect, body, ...withoutCookies }),
    ).toMatchObject({ status: 200, text: expect.stringContaining('"numberE164":"+6591234567"') });
    const grpcWeb = { "Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1", "Grpc-Timeout": "5S" };
    const refused = { method: "POST", headers: grpcWeb, body: "\0\0\0\0\0", ...withoutCookies };
    expect(await callFrom(named.origin, path, refused)).toMatchObject({
      status: 200,
      text: expect.stringContaining("grpc-status: 16"),
    });
  });

  test("cannot read the server's pages, or anything with cookies", async () => {
    for (const path of ["/dev/inbox", "/metrics", "/healthz"]) {
      expect(await callFrom(named.origin, path, withoutCookies)).toBe("TypeError");
    }
    expect(await callFrom(named.origin, "/api/v1/lookup?number=1", { credentials: "include" })).toBe("TypeError");
  });
});

test("a page of another origin cannot read anything", async () => {
  for (const path of ["/api/v1/lookup?number=1", "/byond.v1.LookupService/LookupNumber", "/dev/inbox", "/nowhere"]) {
    expect(await callFrom(stranger.origin, path, { headers: { "X-API-Key": key } })).toBe("TypeError");
    expect(await callFrom(stranger.origin, path)).toBe("TypeError");
  }
});
