/** The session in a cookie, in a browser: what a page of the server can do with it, and a page of another server on the machine cannot. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { password, startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage } from "./browser.ts";

let browser: Browser;
let app: TestApp;
let other: Server;
let otherOrigin: string;

beforeAll(async () => {
  // Whatever origins may call: the session is not for them.
  app = await startTestApp({ corsOrigins: "any" });
  other = createServer((_request, response) => {
    response
      .setHeader("Content-Type", "text/html")
      .end("<!doctype html><link rel=icon href=data:,><title>Other</title>");
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  otherOrigin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  other.close();
  await app[Symbol.asyncDispose]();
});

interface Seen {
  readonly status: number;
  readonly text: string;
}

/** What a script of the page sees of a call; the name of the error where the browser keeps the answer to itself. */
function call(page: Page, path: string, init: object): Promise<Seen | string> {
  const argument = JSON.stringify([app.url + path, { credentials: "include", ...init }]);
  return page.evaluate<Seen | string>(`fetch(...${argument})
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch((error) => error.name)`);
}

const own = { "Byond-Session": "cookie" };
const signOut = { method: "POST", headers: { ...own, "Content-Type": "application/json" }, body: "{}" };

test("a page of the server signs in and calls, and no script sees a token", async () => {
  const { email } = await app.signUp();
  await using watched = await openPage(browser);
  const { page } = watched;
  await page.goto(`${app.url}/docs/errors`);
  const signedIn = await call(page, "/api/v1/auth/sign-in", {
    method: "POST",
    headers: { ...own, "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  expect(signedIn).toMatchObject({ status: 200, text: expect.stringContaining('"access_token":""') });
  expect(await page.evaluate<string>("document.cookie")).toBe("");
  expect(await call(page, "/api/v1/auth/me", { headers: own })).toMatchObject({
    status: 200,
    text: expect.stringContaining(email),
  });
  expect(await call(page, "/api/v1/auth/me", {})).toMatchObject({ status: 401 });

  // From another server on this machine, in the same profile. Ports are the same site: the browser sends the cookie along.
  const stranger = await page.context().newPage();
  await stranger.goto(otherOrigin);
  expect(await call(stranger, "/api/v1/auth/me", { headers: own })).toBe("TypeError");
  expect(await call(stranger, "/api/v1/auth/sign-out", signOut)).toBe("TypeError");
  expect(await call(stranger, "/api/v1/auth/me", { mode: "no-cors" })).toEqual({ status: 0, text: "" });
  await call(stranger, "/api/v1/auth/logout-all", { method: "POST", mode: "no-cors", body: "{}" });
  for (const enctype of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
    const submitted = stranger.waitForResponse((response) => response.url().endsWith("/auth/logout-all"));
    await stranger.evaluate<void>(`{
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, { method: "POST", action: ${JSON.stringify(`${app.url}/api/v1/auth/logout-all`)}, enctype: "${enctype}" });
      form.submit();
    }`);
    const answer = await submitted;
    await stranger.waitForURL("**/auth/logout-all");
    expect((await answer.request().allHeaders()).cookie).toContain("byond_session");
    expect(answer.status()).toBe(401);
    await stranger.goto(otherOrigin);
  }
  for (const path of ["/console/", "/console/enter?token=x", "/dev/inbox", "/docs"]) {
    const framed = await stranger.evaluate<string>(`new Promise((resolve) => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.onload = () => {
        try {
          // What was refused is a page of the browser's own, and of another origin, as the server's would be.
          resolve(frame.contentDocument === null ? "other origin" : "blank");
        } catch (error) {
          resolve(error.name);
        }
      };
      frame.src = ${JSON.stringify(app.url + path)};
    })`);
    expect([path, framed]).toEqual([path, "other origin"]);
    expect([
      path,
      stranger
        .frames()
        .map((frame) => frame.url())
        .at(-1),
    ]).toEqual([path, "chrome-error://chromewebdata/"]);
  }
  expect(await call(page, "/api/v1/auth/me", { headers: own })).toMatchObject({ status: 200 });

  expect(await call(page, "/api/v1/auth/sign-out", signOut)).toMatchObject({ status: 200 });
  expect(await call(page, "/api/v1/auth/me", { headers: own })).toMatchObject({ status: 401 });
  expect(await page.context().cookies()).toEqual([]);
});

/** As after DNS rebinding, the browser takes the page for one of the server's own. */
test("a page of a name that is rebound to the server can neither sign in nor call", async () => {
  const { email } = await app.signUp();
  const { port } = new URL(app.url);
  const rebound = `http://rebound.localhost:${port}`;
  await using watched = await openPage(browser);
  const { page } = watched;
  await page.goto(`${rebound}/docs/errors`);
  const seen = await page.evaluate<Seen>(
    `fetch("/api/v1/auth/sign-in", ${JSON.stringify({
      method: "POST",
      headers: { ...own, "Content-Type": "application/json" },
      body: JSON.stringify({ email, password }),
    })}).then(async (response) => ({ status: response.status, text: await response.text() }))`,
  );
  expect(seen).toMatchObject({ status: 401, text: expect.stringContaining("IP address or at localhost") });
  expect(await page.context().cookies()).toEqual([]);
});
