/** Somebody else signs in where somebody was signed in, in the same tab or in another one: nothing of the first one is left. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { openSignedIn } from "./console-page.ts";
import { settle, signIn } from "./routes.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

/** Looks a number up, and returns the key that it was looked up with. */
async function lookUp(page: Page): Promise<string | undefined> {
  const asked = page.waitForRequest("**/LookupNumber");
  await page.getByLabel("Phone number").fill("+6591234567");
  await page.getByRole("button", { name: "Look up", exact: true }).click();
  return (await asked).headers()["x-api-key"];
}

test("whoever signs in in the place of somebody else calls with a key of their own, and no call of the other goes on", async () => {
  const [one, other] = [await app.signUp(), await app.signUp()];
  const body = { name: "Sandbox", mode: "test", scopes: ["*"] };
  const { key } = (await app.rest("POST", "/api-keys", { session: one.session, body })).body;
  await using watched = await openSignedIn(browser, app, "/lookup", { account: one });
  const { page } = watched;
  await page.getByRole("button", { name: "Use another key" }).click();
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use key" }).click();
  expect(await lookUp(page)).toBe(key);

  await app.rest("POST", "/auth/logout-all", { session: one.session });
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "API keys" }).click();
  await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await signIn(page, other.email, password);
  await page.getByRole("button", { name: `Account ${other.email}` }).waitFor();
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Lookup" }).click();
  const used = await lookUp(page);
  expect(used).toMatch(/^pk_test_/);
  expect(used).not.toBe(key);
});

test("all tabs are signed out together, and show who is signed in", async () => {
  const [one, other] = [await app.signUp(), await app.signUp()];
  await using watched = await openSignedIn(browser, app, "/keys", { account: one });
  const { page } = watched;
  const tab = await page.context().newPage();
  await tab.goto(`${app.url}/console/settings`);
  await settle(tab);
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await tab.waitForURL("**/console/sign-in?next=%2Fsettings");

  await signIn(tab, one.email, password);
  await tab.waitForURL("**/console/settings");
  await page.goto(`${app.url}/console/sign-in`);
  await signIn(page, other.email, password);
  await tab.getByRole("button", { name: `Account ${other.email}` }).waitFor();
});
