import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCodes } from "../../src/capabilities/reference/error-guide.ts";
import { DocumentReader } from "../capabilities/reference/openapi-document.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage, overflowOf, type PageOptions, screenshot, type WatchedPage } from "./browser.ts";
import { findLowContrastTexts } from "./low-contrast.ts";

let app: TestApp;
let browser: Browser;
let reader: DocumentReader;

beforeAll(async () => {
  app = await startTestApp();
  browser = await launchBrowser();
  reader = new DocumentReader(JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text()));
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

/** Opens the reference, and waits until all of it is there. */
async function openReference(options: PageOptions = {}, fragment = ""): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  await watched.page.goto(`${app.url}/docs${fragment}`);
  await watched.page.getByRole("heading", { name: "Byond reference" }).waitFor();
  await watched.page.locator('.status[data-state="operational"]').waitFor();
  return watched;
}

const search = (page: Page) => page.getByRole("dialog").getByRole("combobox");

const looks: readonly { readonly name: string; readonly width: number; readonly colors: "light" | "dark" }[] = [
  { name: "desk-light", width: 1280, colors: "light" },
  { name: "desk-dark", width: 1280, colors: "dark" },
  { name: "phone-light", width: 390, colors: "light" },
  { name: "phone-dark", width: 390, colors: "dark" },
];

describe.each(looks)("$name", ({ name, width, colors }) => {
  test("the reference renders without errors, in its colours and width, and only contacts this server", async () => {
    await using watched = await openReference({ width, colors }, "#tag/verify/POST/verify/start");
    const { page, faults, requests } = watched;
    await page.getByRole("heading", { name: "Start a verification" }).waitFor();
    await page.getByText("X-API-Key: $BYONDAPI_KEY").first().waitFor();
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await page.locator("html").getAttribute("class")).toBe(`${colors}-mode`);
    expect(await findLowContrastTexts(page, ".bar")).toEqual([]);
    await page.waitForTimeout(500);
    await screenshot(page, `docs-${name}-operation`);
    await page.goto(`${app.url}/docs#description/introduction`);
    await page.reload();
    await page.getByRole("heading", { name: "Quickstart" }).waitFor();
    await page.waitForTimeout(500);
    await screenshot(page, `docs-${name}`);
    expect(faults).toEqual([]);
    const elsewhere = requests.filter((url) => !url.startsWith(`${app.url}/`) && !/^(data|blob):/.test(url));
    expect(elsewhere).toEqual([]);
    expect(requests.length).toBeGreaterThan(10);
  });

  test("the error page renders without errors, in its colours and width", async () => {
    await using watched = await openPage(browser, { width, colors });
    const { page, faults, requests } = watched;
    await page.goto(`${app.url}/docs/errors#rate_limited`);
    await page.locator('.status[data-state="operational"]').waitFor();
    const heading = page.getByRole("heading", { name: "rate_limited" });
    const top = await heading.evaluate((element) => element.getBoundingClientRect().top);
    expect(top).toBeGreaterThanOrEqual(48);
    expect(top).toBeLessThan(200);
    await screenshot(page, `errors-${name}`);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await findLowContrastTexts(page, "body")).toEqual([]);
    expect(await page.locator("section[id]").count()).toBe(errorCodes.length);
    expect(faults).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${app.url}/`))).toEqual([]);
  });
});

describe("the reference", () => {
  test.each(["k", "K", "/"])("%s opens the search, which finds an endpoint", async (key) => {
    await using watched = await openReference();
    const { page } = watched;
    expect(await search(page).count()).toBe(0);
    await page.keyboard.press(key);
    await search(page).waitFor();
    // What is typed now goes into the field, the hotkeys among it.
    await page.keyboard.type("look");
    await expect.poll(() => search(page).inputValue()).toBe("look");
    await page
      .getByRole("option", { name: /Look up a number/ })
      .first()
      .waitFor();
    await screenshot(page, "docs-search");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#tag\/lookup/);
    expect(watched.faults).toEqual([]);
  });

  test("its own hotkey still opens the search, and K with modifier keys does nothing", async () => {
    await using watched = await openReference();
    await watched.page.keyboard.press("Alt+k");
    await watched.page.waitForTimeout(300);
    expect(await search(watched.page).count()).toBe(0);
    await watched.page.keyboard.press("Control+k");
    await search(watched.page).waitFor();
  });

  test("has the guide and every operation in its sidebar", async () => {
    await using watched = await openReference();
    const links = watched.page.getByRole("navigation").or(watched.page.locator("aside")).locator("a[href^='#']");
    await watched.page.locator("a[href='#description/quickstart']").waitFor();
    const texts = await links.allInnerTexts();
    const titles = texts.map((text) => text.split("\n")[0]?.trim());
    const expected = ["Base URL", "Authentication", "Quickstart", "Errors", "Rate limits", "Idempotency", "gRPC"];
    expect(titles).toEqual(expect.arrayContaining(expected));
    expect(titles).toEqual(expect.arrayContaining(reader.operations().map(({ operation }) => operation.summary)));
    expect(titles).toEqual(expect.arrayContaining(Object.keys(reader.document["x-webhooks"])));
  });

  test("has samples in several languages", async () => {
    await using watched = await openReference({}, "#tag/verify/POST/verify/start");
    const { page } = watched;
    const card = page.locator("section", { has: page.getByRole("heading", { name: "Start a verification" }) }).last();
    await card.getByText('curl --fail-with-body -X POST "$BYOND_URL/api/v1/verify/start"').waitFor();
    for (const [label, text] of [
      ["JavaScript", "await fetch(`"],
      ["Python", "requests.post("],
    ] as const) {
      await card
        .getByRole("button", { name: /curl|JavaScript|Python/ })
        .first()
        .click();
      await page.getByRole("option", { name: label }).click();
      await expect.poll(() => card.locator("pre").first().innerText()).toContain(text);
      await screenshot(page, `docs-sample-${label.toLowerCase()}`);
    }
    expect(watched.faults).toEqual([]);
  });

  test("shows when the server is not ready", async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.route("**/readyz", (route) => route.fulfill({ status: 503, body: "{}" }));
    await page.goto(`${app.url}/docs/errors`);
    await page.locator('.status[data-state="unavailable"]').waitFor();
    await page.unroute("**/readyz");
    await page.route("**/readyz", (route) => route.abort());
    await page.reload();
    await page.locator('.status[data-state="unreachable"]').waitFor();
    expect(await page.locator(".status").innerText()).toBe("not reachable");
  });

  test("the chosen colour mode applies to the other pages too", async () => {
    await using watched = await openReference({ colors: "light" });
    const { page } = watched;
    await page
      .getByRole("button", { name: /dark mode|light mode/i })
      .first()
      .click();
    await page.locator("html.dark-mode").waitFor();
    await page.goto(`${app.url}/docs/errors`);
    await page.locator("html.dark-mode").waitFor();
  });

  test("sends a request from the page, only to this server", async () => {
    const key = await app.mintKey({ mode: "test" });
    await using watched = await openReference({}, "#tag/lookup/GET/lookup");
    const { page, requests } = watched;
    await page
      .getByRole("button", { name: /Test Request/ })
      .filter({ hasText: "lookup" })
      .first()
      .click();
    const client = page.getByRole("dialog");
    await client.locator("input.scalar-password-input").fill(key);
    await client.getByRole("button", { name: /^Send/ }).first().click();
    await client.getByText("200 OK").first().waitFor();
    await client.getByText("national_format").first().waitFor();
    await screenshot(page, "docs-client");
    expect(requests.filter((url) => url.startsWith(`${app.url}/api/v1/lookup?`))).toHaveLength(1);
    expect(requests.filter((url) => !url.startsWith(`${app.url}/`) && !/^(data|blob):/.test(url))).toEqual([]);
    expect(watched.faults).toEqual([]);
  });
});
