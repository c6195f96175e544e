import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sdkLanguages } from "../../sdk/generator/samples/sdk-samples.ts";
import { sampleLanguages } from "../../src/capabilities/reference/openapi/samples/code-samples.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { findAxeViolations } from "./axe.ts";
import { launchBrowser, openPage, overflowOf, screenshot } from "./browser.ts";

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

/** Pages with samples, with code in the text, and with both. */
const paths = ["/docs", "/docs/api/verify", "/docs/api/lookup", "/docs/guides/webhooks"];

const sdkLabels = sdkLanguages.map(({ label }) => label);
const [curl = "", ...labelsWithoutSdk] = sampleLanguages.map(({ label }) => label);
const labels = [curl, ...sdkLabels, ...labelsWithoutSdk];

const languageSelects = (page: Page) => page.getByRole("combobox", { name: "Language of the samples" });

/** The texts of the samples that are shown. */
const shownSamples = (page: Page) => page.locator(".sample:visible code").allInnerTexts();

const keyField = (page: Page) => page.getByRole("textbox", { name: "Your sandbox key" });

async function openIn(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(app.url + path);
  return page;
}

describe("the language of the samples", () => {
  test("is one for all of them, stays chosen on other pages, and changes by keyboard", async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/verify`);
    const selects = languageSelects(page);
    expect(await selects.first().locator("option").allInnerTexts()).toEqual(labels);
    const optionsOf = (name: string) => selects.first().locator(`optgroup[label="${name}"] option`).allInnerTexts();
    expect(await optionsOf("SDKs")).toEqual(sdkLabels);
    expect(await optionsOf("Without an SDK")).toEqual(labelsWithoutSdk);
    expect(await shownSamples(page)).toHaveLength(await selects.count());
    for (const text of await shownSamples(page)) {
      expect(text).toMatch(/^curl /);
    }
    await selects.nth(1).focus();
    await page.keyboard.type("Py");
    for (const text of await shownSamples(page)) {
      expect(text).toContain("from byond import Byond");
    }
    await page.goto(`${app.url}/docs/api/lookup`);
    expect(await selects.first().inputValue()).toBe("python sdk");
    expect((await shownSamples(page))[0]).toContain("from byond import Byond");
    expect(watched.faults).toEqual([]);
  });

  test("changes without moving what is looked at", async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/webhooks`);
    const select = languageSelects(page).last();
    await select.scrollIntoViewIfNeeded();
    const top = async () => (await select.boundingBox())?.y ?? Number.NaN;
    const before = await top();
    await select.selectOption("Go");
    expect(Math.abs((await top()) - before)).toBeLessThan(2);
  });

  test("can be chosen where the browser stores nothing", async () => {
    await using context = await browser.newContext();
    const faults: string[] = [];
    await context.addInitScript(`for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("The operation is insecure.", "SecurityError"); } });
    }`);
    const page = await context.newPage();
    page.on("pageerror", ({ message }) => faults.push(message));
    await page.goto(`${app.url}/docs/api/verify`);
    await languageSelects(page).first().selectOption("PHP");
    expect((await shownSamples(page)).at(-1)).toMatch(/^<\?php/);
    await keyField(page).fill(await app.mintKey({ mode: "test" }));
    await page.keyboard.press("Enter");
    expect((await shownSamples(page))[0]).toContain("'X-API-Key: ' . 'pk_test_");
    expect(faults).toEqual([]);
  });

  test("needs no JavaScript: all are there, without controls that would do nothing", async () => {
    await using context = await browser.newContext({ javaScriptEnabled: false });
    const page = await openIn(context, "/docs/api/email-lookup");
    expect(await page.locator(".sample-head:visible").allInnerTexts()).toEqual(expect.arrayContaining(labels));
    expect(await page.locator(".sample code:visible").count()).toBe(labels.length);
    expect(await page.getByRole("button", { name: "Copy" }).count()).toBe(0);
    expect(await keyField(page).count()).toBe(0);
  });
});

describe("copying", () => {
  test.each(paths)(
    "every block of code of %s has one button, in sight, and nothing is wider than a phone",
    async (path) => {
      await using context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
      const page = await openIn(context, path);
      const blocks = await page.locator("pre:visible").count();
      expect(blocks).toBeGreaterThan(0);
      const buttons = page.locator(".copy:visible");
      expect(await buttons.count()).toBe(blocks);
      for (const button of await buttons.all()) {
        const box = await button.boundingBox();
        expect(box?.height).toBeGreaterThanOrEqual(44);
        expect(box?.width).toBeGreaterThanOrEqual(44);
        expect((box?.x ?? 390) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
      }
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    },
  );

  test("takes the sample that is shown, and says so", async () => {
    await using context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await openIn(context, "/docs/api/lookup");
    await languageSelects(page).first().selectOption("Go");
    await page.locator(".samples .copy").first().click();
    await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
    expect(await page.locator(".samples .copy").first().innerText()).toBe("Copied");
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    const { paths: documented } = JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text());
    const { source } = documented["/lookup"].get["x-codeSamples"].find(
      (sample: { label: string }) => sample.label === "Go",
    );
    expect(copied).toBe(source);
  });

  test("works on pages that have no clipboard, because their origin is not secure", async () => {
    await using context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    await context.addInitScript(
      "window.clipboard = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', { value: undefined })",
    );
    const page = await openIn(context, "/docs");
    const block = page.locator(".code").first();
    await block.getByRole("button", { name: "Copy" }).click();
    await block.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate<string>("clipboard.readText()")).toBe(
      (await block.locator("pre").innerText()).trimEnd(),
    );
  });
});

describe("the visitor's sandbox key", () => {
  test("is filled in everywhere on every page of the tab, is in no request, and can be removed", async () => {
    const key = await app.mintKey({ mode: "test" });
    await using context = await browser.newContext();
    const sent: string[] = [];
    context.on("request", (request) => {
      sent.push(JSON.stringify([request.url(), request.headers(), request.postData()]));
    });
    const page = await openIn(context, "/docs");
    await keyField(page).fill(key);
    await page.getByRole("button", { name: "Fill in" }).click();
    await page.getByText(`export BYONDAPI_KEY="${key}"`).first().waitFor();
    for (const code of await page.locator("pre").allInnerTexts()) {
      expect(code).not.toMatch(/pk_test_…|\$BYONDAPI_KEY/);
    }
    await page.goto(`${app.url}/docs/api/verify`);
    const written: Readonly<Record<string, string>> = {
      curl: `-H "X-API-Key: ${key}"`,
      "TypeScript SDK": `new Byond({ apiKey: "${key}" })`,
      "Python SDK": `Byond(api_key="${key}")`,
      "Go SDK": `byond.New(byond.WithAPIKey("${key}"))`,
      "PHP SDK": `new Byond\\Client(apiKey: '${key}')`,
      JavaScript: `"X-API-Key": "${key}",`,
      Python: `headers={"X-API-Key": "${key}"},`,
      Go: `request.Header.Set("X-API-Key", "${key}")`,
      PHP: `'X-API-Key: ' . '${key}',`,
      Java: `.header("X-API-Key", "${key}")`,
      gRPC: `-H "x-api-key: ${key}"`,
    };
    for (const label of labels) {
      await languageSelects(page).first().selectOption(label);
      for (const text of await shownSamples(page)) {
        expect(text).toContain(written[label]);
        expect(text).not.toContain("BYONDAPI_KEY");
      }
    }
    await screenshot(page, "docs-key-filled-in");
    await page.reload();
    expect((await shownSamples(page))[0]).toContain(key);
    await using other = await browser.newContext();
    expect(await (await openIn(other, "/docs")).locator("body").innerText()).not.toContain(key);
    await page.getByRole("button", { name: "Remove" }).click();
    expect((await shownSamples(page))[0]).not.toContain(key);
    await page.reload();
    expect((await shownSamples(page))[0]).not.toContain(key);
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.filter((request) => request.includes(key))).toEqual([]);
  });

  test("does not come back, once removed, with a page that the browser kept for its back button", async () => {
    await using keeping = await launchBrowser({ keepsPages: true });
    await using watched = await openPage(keeping);
    const { page } = watched;
    const key = await app.mintKey({ mode: "test" });
    await page.goto(`${app.url}/docs/api/verify`);
    await keyField(page).fill(key);
    await page.getByRole("button", { name: "Fill in" }).click();
    await page.evaluate("window.isKept = true");
    await page.goto(`${app.url}/docs/api/lookup`);
    await page.getByRole("button", { name: "Remove" }).click();
    await page.goBack({ waitUntil: "commit" });
    await expect.poll(async () => (await shownSamples(page))[0]).toContain("$BYONDAPI_KEY");
    expect(await page.evaluate("window.isKept")).toBe(true);
  });

  test.each([
    ["a live key", async () => app.mintKey({ mode: "live" }), "This is a live key."],
    ["half a key", async () => "pk_test_8fa2", "This is not a whole sandbox key"],
    ["nothing", async () => "", "This is not a whole sandbox key"],
  ])("is not %s", async (_, make, reason) => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/verify`);
    const text = await make();
    await keyField(page).fill(text);
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: reason }).waitFor();
    await page.locator("#sandbox-key-hint", { hasText: reason }).waitFor();
    expect(await keyField(page).getAttribute("aria-invalid")).toBe("true");
    for (const sample of await shownSamples(page)) {
      expect(sample).toContain("$BYONDAPI_KEY");
    }
    expect(await page.evaluate<number>("sessionStorage.length")).toBe(0);
    expect(watched.faults).toEqual([]);
  });
});

describe.each(["light", "dark"] as const)("in %s colours", (colors) => {
  test.each([390, 1280])("the controls meet WCAG 2.2 AA at %i pixels", async (width) => {
    await using watched = await openPage(browser, { width, colors });
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/verify`);
    expect(await findAxeViolations(page)).toEqual([]);
    await keyField(page).fill("pk_live_");
    await page.keyboard.press("Enter");
    await languageSelects(page).first().selectOption("Python");
    expect(await findAxeViolations(page)).toEqual([]);
    await screenshot(page, `docs-samples-${colors}-${width}`);
    await keyField(page).fill(await app.mintKey({ mode: "test" }));
    await page.keyboard.press("Enter");
    expect(await findAxeViolations(page)).toEqual([]);
    expect(watched.faults).toEqual([]);
  });
});
