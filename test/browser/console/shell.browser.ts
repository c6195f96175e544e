/** What surrounds the pages of the console: sign-up, sign-in, navigation, search, and that every page can be used by everybody. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser, screenshot } from "../browser.ts";
import { expectCalm, openConsole, openSignedIn } from "./console-page.ts";
import { looks, openRoutes, routes, settle } from "./routes.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

describe.each([390, 1280])("at %i px", (width) => {
  test("the address of the server leads a newcomer through sign-up to the overview, by clicks alone", async () => {
    await using watched = await openConsole(browser, app, "/", { width });
    const { page } = watched;
    await page.goto(app.url);
    await page.waitForURL(`${app.url}/console/sign-in`);
    await page.getByRole("link", { name: "Create one" }).click();
    await page.getByLabel("Name").fill("Acme");
    await page.getByLabel("E-mail").fill(`newcomer-${width}@example.com`);
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("must be 10 to 128 characters long").waitFor();
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL(`${app.url}/console/`);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    if (width < 768) {
      await page.getByRole("button", { name: "Navigation" }).click();
    }
    await page.getByRole("button", { name: `Account newcomer-${width}@example.com` }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL(`${app.url}/console/sign-in`);
    await expectCalm(watched, app);
  });

  test("every page is reached by the navigation, and keeps the mode", async () => {
    await using watched = await openSignedIn(browser, app, "/", { width });
    const { page } = watched;
    await page.getByRole("button", { name: "Test", exact: true }).click();
    for (const title of ["API keys", "Verifications", "Webhooks", "Settings", "Overview"]) {
      if (width < 768) {
        await page.getByRole("button", { name: "Navigation" }).click();
      }
      await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: title }).click();
      await page.getByRole("heading", { name: title, level: 1 }).waitFor();
      expect(new URL(page.url()).search).toBe("?mode=test");
    }
    await page.goBack();
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    await expectCalm(watched, app);
  });
});

test("the search opens by a key, and leads to pages, keys, ids and the reference", async () => {
  const account = await app.signUp();
  const created = await app.rest("POST", "/api-keys", {
    session: account.session,
    body: { name: "Checkout server" },
  });
  await using watched = await openSignedIn(browser, app, "/", { account });
  const { page } = watched;
  const search = async (text: string, result: string, shortcut = "/") => {
    await page.keyboard.press(shortcut);
    await page.getByRole("combobox", { name: "Search" }).fill(text);
    await page.getByRole("option", { name: result }).first().waitFor();
    await page.keyboard.press("Enter");
  };
  await search("webhooks", "Webhooks");
  await page.waitForURL(`${app.url}/console/webhooks`);
  await search("checkout", "Checkout server");
  await page.waitForURL(`${app.url}/console/keys/${created.body.id}`);
  for (const [prefix, kind, path] of [
    ["vrf", "Verification", "verifications"],
    ["evt", "Event", "events"],
    ["whk", "Webhook", "webhooks"],
  ] as const) {
    const id = `${prefix}_2kJdTnLcMbQeRwXyZaBcDe`;
    await search(` ${id} `, kind);
    await page.waitForURL(`${app.url}/console/${path}/${id}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    // A dialog says that there is no such event.
    await page.keyboard.press("Escape");
  }
  await search(String(created.body.id), "Checkout server", "k");
  await page.waitForURL(`${app.url}/console/keys/${created.body.id}`);
  await search("check a code", "Check a code");
  await page.waitForURL(/\/docs\/api\//);
  await page.getByRole("heading", { name: "Check a code" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await search("rate_limited", "rate_limited");
  await page.waitForURL(`${app.url}/docs/errors#rate_limited`);
});

test("a form that is sent after the session has ended waits for a sign-in over it, and is sent with what was typed", async () => {
  const account = await app.signUp();
  await using watched = await openSignedIn(browser, app, "/webhooks", { account });
  const { page } = watched;
  await page.getByRole("button", { name: "Create webhook" }).first().click();
  await page.getByLabel("URL").fill("https://example.com/hooks/byond");
  await page.getByLabel("Note").fill("Orders of the shop");
  await app.rest("POST", "/auth/logout-all", { session: account.session });
  await page.getByRole("dialog").getByRole("button", { name: "Create webhook" }).click();
  const signingIn = page.getByRole("dialog", { name: "Your session has ended" });
  await signingIn.waitFor();
  await signingIn.getByLabel("Password").fill(password);
  await signingIn.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Copy this").waitFor();
  const { body: signedIn } = await app.rest("POST", "/auth/sign-in", { body: { email: account.email, password } });
  const { body } = await app.rest("GET", "/webhooks", { session: signedIn.access_token });
  expect(body.webhooks).toMatchObject([{ url: "https://example.com/hooks/byond", description: "Orders of the shop" }]);
  await expectCalm(watched, app);
});

test("a session that ends while a page is open is renewed in a form over it, and nothing on the page is lost", async () => {
  const account = await app.signUp();
  await using watched = await openSignedIn(browser, app, "/settings", { account });
  const { page } = watched;
  await page.evaluate("document.querySelector('main').dataset.kept = 'yes'");
  await app.rest("POST", "/auth/logout-all", { session: account.session });
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "API keys" }).click();
  await page.keyboard.press("k");
  await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  expect(await page.getByLabel("E-mail").inputValue()).toBe(account.email);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("dialog", { name: "Your session has ended" }).waitFor({ state: "hidden" });
  expect(await page.evaluate("document.querySelector('main').dataset.kept")).toBe("yes");
  await expectCalm(watched, app);
});

test("the colours are those of the system, until others are chosen, on every page of the server", async () => {
  await using watched = await openSignedIn(browser, app, "/", { colors: "light" });
  const { page } = watched;
  const theme = () => page.locator("html").getAttribute("data-theme");
  expect(await theme()).toBe("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(theme).toBe("dark");
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitemradio", { name: "Light" }).click();
  await expect.poll(theme).toBe("light");
  await page.goto(`${app.url}/docs/errors`);
  expect(await page.locator("html").getAttribute("class")).toBe("light-mode");
});

test("the colours are there before the console's own script has run", async () => {
  await using watched = await openConsole(browser, app, "/sign-in", { colors: "dark" });
  const { page } = watched;
  const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  const dark = await background();
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(/\/console\/assets\/.*\.js$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.reload({ waitUntil: "commit" });
  await page.locator("#root").waitFor({ state: "attached" });
  expect(await background()).toBe(dark);
  go();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await expectCalm(watched, app);
});

test("what is typed on a page stays when a dialog cannot be loaded, as after an upgrade of the server", async () => {
  await using watched = await openSignedIn(browser, app, "/lookup");
  const { page } = watched;
  await page.route(/\/(search|sign-in)-dialog-.*\.js$/, (route) => route.fulfill({ status: 404 }));
  const field = page.getByRole("main").getByRole("textbox").first();
  await field.fill("+15005550006");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("could not be loaded").waitFor();
  expect(await field.inputValue()).toBe("+15005550006");
  await page.context().clearCookies();
  await field.press("Enter");
  await expect.poll(() => page.getByText("could not be loaded").count()).toBe(2);
  expect(await field.inputValue()).toBe("+15005550006");
});

test("without a network the console says so", async () => {
  await using watched = await openSignedIn(browser, app, "/");
  const { page } = watched;
  await page.context().setOffline(true);
  await page.getByText("You are offline.").waitFor();
  await page.context().setOffline(false);
  await page.getByText("You are offline.").waitFor({ state: "hidden" });
});

test("the keyboard skips the navigation, and stays in a dialog until it is closed", async () => {
  await using watched = await openSignedIn(browser, app, "/keys");
  const { page } = watched;
  await page.reload();
  await settle(page);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
  await page.keyboard.press("k");
  await page.getByRole("combobox", { name: "Search" }).waitFor();
  for (let press = 0; press < 4; press += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.closest('[role=dialog]') !== null")).toBe(true);
  }
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
});

describe.each(looks)("$name", ({ name, width, colors }) => {
  test.each(openRoutes)("%s is clean", async (path) => {
    await using watched = await openConsole(browser, app, path, { width, colors });
    expect(await findAxeViolations(watched.page)).toEqual([]);
    await expectCalm(watched, app);
    await screenshot(watched.page, `console${path.replaceAll("/", "-")}-${name}`);
  });

  test("every page is clean", async () => {
    await using watched = await openSignedIn(browser, app, "/", { width, colors });
    const { page } = watched;
    for (const path of routes) {
      await page.goto(`${app.url}/console${path}`);
      await settle(page);
      expect(await findAxeViolations(page), path).toEqual([]);
      await expectCalm(watched, app);
    }
  });

  test("search and menus are clean", async () => {
    await using watched = await openSignedIn(browser, app, "/", { width, colors });
    const { page } = watched;
    await page.keyboard.press("k");
    await page.getByRole("option").first().waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    if (width < 768) {
      await page.getByRole("button", { name: "Navigation" }).click();
    }
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("menuitem", { name: "Settings" }).waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await expectCalm(watched, app);
  });
});
