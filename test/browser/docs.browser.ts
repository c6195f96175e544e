import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCodes } from "../../src/capabilities/reference/error-guide.ts";
import { DocumentReader } from "../capabilities/reference/openapi-document.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { findAxeViolations } from "./axe.ts";
import { launchBrowser, openPage, overflowOf, type PageOptions, screenshot, type WatchedPage } from "./browser.ts";

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

/** Opens a page of the reference, and waits until its scripts have run. */
async function open(path: string, options: PageOptions = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  await watched.page.goto(app.url + path);
  await watched.page.locator('.status[data-state="operational"]').waitFor();
  return watched;
}

const searchField = (page: Page) => page.getByRole("combobox", { name: "Search the reference" });

const results = (page: Page) => page.getByRole("dialog").getByRole("option");

/** One of each kind, and the longest. */
const kindsOfPages = [
  "/docs",
  "/docs/guides/webhooks",
  "/docs/api/verify",
  "/docs/api/webhooks",
  "/docs/errors",
  "/docs/guides/operations",
  "/docs/guides/performance",
  "/docs/decisions",
  "/docs/decisions/0007-revocation-leases",
];

const looks: readonly { readonly name: string; readonly width: number; readonly colors: "light" | "dark" }[] = [
  { name: "desk-light", width: 1280, colors: "light" },
  { name: "desk-dark", width: 1280, colors: "dark" },
  { name: "phone-light", width: 390, colors: "light" },
  { name: "phone-dark", width: 390, colors: "dark" },
];

describe.each(looks)("$name", ({ name, width, colors }) => {
  test.each(kindsOfPages)(
    "%s has no error, fits, satisfies WCAG 2.2 AA, and only contacts this server",
    async (path) => {
      await using watched = await open(path, { width, colors });
      const { page, faults, requests } = watched;
      await screenshot(page, `${path.slice(1).replace(/\W+/g, "-")}-${name}`);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      expect(await findAxeViolations(page)).toEqual([]);
      expect(await page.locator("html").getAttribute("class")).toBe(`${colors}-mode`);
      expect(faults).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(`${app.url}/`))).toEqual([]);
    },
  );

  test("the search and the menu satisfy WCAG 2.2 AA", async () => {
    await using watched = await open("/docs/api/verify", { width, colors });
    const { page } = watched;
    await page.keyboard.press("/");
    await searchField(page).fill("rate");
    await results(page).first().waitFor();
    await screenshot(page, `docs-search-${name}`);
    expect(await findAxeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    if (width < 960) {
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("navigation", { name: "Reference" }).getByText("Webhooks").first().waitFor();
      await screenshot(page, `docs-menu-${name}`);
      expect(await findAxeViolations(page)).toEqual([]);
    }
    expect(watched.faults).toEqual([]);
  });
});

// WCAG 2.2 §1.4.10 asks for 320. The others are around the widths at which columns come and go.
test.each([320, 480, 600, 959, 960, 1239, 1240, 1920])("nothing is wider than a window of %d pixels", async (width) => {
  await using watched = await open("/docs", { width });
  const { page } = watched;
  for (const path of kindsOfPages) {
    await page.goto(app.url + path);
    expect(await overflowOf(page), path).toBeLessThanOrEqual(0);
  }
});

describe("without JavaScript", () => {
  test("everything is there: navigation, operations, fields, samples, errors", async () => {
    await using watched = await openPage(browser, { javaScript: false });
    const { page } = watched;
    await page.goto(`${app.url}/docs`);
    const menu = page.getByRole("navigation", { name: "Reference" });
    await menu.getByRole("link", { name: "Verify", exact: true }).click();
    await page.waitForURL(`${app.url}/docs/api/verify`);
    await page.getByRole("heading", { name: "Check a code" }).waitFor();
    await page.locator("#startVerification-body-recipient").getByText("required").waitFor();
    await page.locator("#startVerification").getByText('"X-API-Key: $BYONDAPI_KEY"').first().waitFor();
    await page
      .locator("#startVerification")
      .getByRole("link", { name: /rate_limited/ })
      .first()
      .click();
    await page.waitForURL(`${app.url}/docs/errors#rate_limited`);
    expect(await page.locator("section[id]").count()).toBe(errorCodes.length);
    // What only a script can do is not offered.
    expect(await page.getByRole("button", { name: "Search" }).isVisible()).toBe(false);
  });

  test("the menu of a phone opens and closes, and the colours are those of the system", async () => {
    await using watched = await openPage(browser, { javaScript: false, width: 390, colors: "dark" });
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/lookup`);
    const link = page.getByRole("navigation", { name: "Reference" }).getByRole("link", { name: "Rate limits" });
    expect(await link.isVisible()).toBe(false);
    await page.getByRole("button", { name: "Menu" }).click();
    await link.waitFor();
    await page.keyboard.press("Escape");
    expect(await link.isVisible()).toBe(false);
    const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    expect(background).toBe("rgb(16, 16, 20)");
  });
});

test.each(["/docs", "/docs/api/verify", "/docs/errors"])(
  "%s is there within two seconds at 400 kbit/s, and is small",
  async (path) => {
    // What a server does once, and not for every visitor, does not count.
    await fetch(app.url + path);
    await using watched = await openPage(browser);
    const { page } = watched;
    const devTools = await page.context().newCDPSession(page);
    let bytes = 0;
    devTools.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await devTools.send("Network.enable");
    const bytesPerSecond = 400_000 / 8;
    await devTools.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 100,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
    await page.goto(app.url + path, { waitUntil: "networkidle" });
    const [painted = 0, loaded = 0] = await page.evaluate<number[]>(
      "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.getEntriesByType('navigation')[0].loadEventEnd]",
    );
    console.log(
      `${path} at 400 kbit/s: painted after ${painted.toFixed(0)} ms, loaded after ${loaded.toFixed(0)} ms, ${bytes} bytes`,
    );
    expect(bytes).toBeLessThan(60_000);
    expect(painted).toBeLessThan(2_000);
    expect(loaded).toBeLessThan(2_000);
  },
);

describe("the search", () => {
  test.each(["k", "K", "/", "Control+k", "Meta+k"])("opens on %s, and Escape closes it", async (key) => {
    await using watched = await open("/docs");
    const { page } = watched;
    expect(await searchField(page).count()).toBe(0);
    await page.keyboard.press(key);
    await searchField(page).waitFor();
    // What is typed now goes into the field, the hotkeys among it.
    await page.keyboard.type("k/look");
    await expect.poll(() => searchField(page).inputValue()).toBe("k/look");
    await page.keyboard.press("Escape");
    await expect.poll(() => searchField(page).isVisible()).toBe(false);
    expect(watched.faults).toEqual([]);
  });

  test("does not open on K with other modifier keys", async () => {
    await using watched = await open("/docs");
    await watched.page.keyboard.press("Alt+k");
    await watched.page.keyboard.press("Control+Alt+k");
    await watched.page.keyboard.press("k");
    await searchField(watched.page).waitFor();
    expect(await searchField(watched.page).count()).toBe(1);
  });

  test.each([
    ["429", /rate_limited/],
    ["otp", /Verification|Start a verification|code/i],
    ["webhook", /Webhooks/],
    ["idempotency_key_reused", /^idempotency_key_reused/],
    ["code_length", /^code_length/],
    ["check a code", /^Check a code/],
    ["Verify signatures", /^Verify signatures/],
    ["verification.locked", /^verification\.locked/],
    ["pagination", /Pagination/],
    ["revocaton", /revo/i],
  ])("finds %s", async (query, expected) => {
    await using watched = await open("/docs/guides/events");
    const { page } = watched;
    await page.keyboard.press("/");
    await searchField(page).fill(query);
    await results(page).first().waitFor();
    const first = await page.locator(".search-results .result-title").allInnerTexts();
    expect(first.slice(0, 3).join("\n")).toMatch(new RegExp(expected.source, `${expected.flags}m`));
  });

  test("leads where the arrow keys and Enter choose, from any page", async () => {
    await using watched = await open("/docs/guides/events");
    const { page, faults, requests } = watched;
    expect(requests.filter((url) => /minisearch|search/.test(url))).toEqual([]);
    await page.keyboard.press("/");
    await page.keyboard.type("check a code");
    await page.getByRole("dialog").getByRole("option", { selected: true }).getByText("Check a code").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${app.url}/docs/api/verify#checkVerification`);
    expect(faults).toEqual([]);
  });

  test.each([
    ["how to verify a phone number", /phone|number|verif/i],
    ["why is my code expired", /expired|code/i],
  ])("answers a question: %s", async (question, expected) => {
    await using watched = await open("/docs");
    await watched.page.keyboard.press("/");
    await searchField(watched.page).fill(question);
    await results(watched.page).first().getByText(expected).first().waitFor();
  });

  test.each(["constructor", "__proto__", "toString code", "<img src=x onerror=alert(1)>"])(
    "takes %s for a word like any other",
    async (query) => {
      await using watched = await open("/docs");
      const { page, faults } = watched;
      await page.keyboard.press("/");
      await searchField(page).fill("rate");
      await results(page).first().waitFor();
      const before = await results(page).allInnerTexts();
      await searchField(page).fill(query);
      await expect.poll(async () => (await results(page).allInnerTexts()).join()).not.toBe(before.join());
      expect(faults).toEqual([]);
    },
  );

  test("leaves the keys to an input method while it composes a word", async () => {
    await using watched = await open("/docs/guides/events");
    const { page } = watched;
    await page.keyboard.press("/");
    await searchField(page).fill("errors");
    const chosen = page.getByRole("dialog").getByRole("option", { selected: true });
    await chosen.waitFor();
    const first = await chosen.innerText();
    for (const init of [
      'key: "ArrowDown", isComposing: true',
      'key: "Enter", isComposing: true',
      'key: "Enter", keyCode: 229',
    ]) {
      await page.evaluate(
        `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { ${init}, bubbles: true, cancelable: true }))`,
      );
    }
    expect(await chosen.innerText()).toBe(first);
    await page.keyboard.press("Enter");
    await page.waitForURL(/errors/);
  });

  test("ignores what fills in a field: events without a key", async () => {
    await using watched = await open("/docs");
    await watched.page.evaluate('document.dispatchEvent(new Event("keydown", { bubbles: true }))');
    await watched.page.keyboard.press("/");
    await searchField(watched.page).waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("does not open on / and K where that is turned off", async () => {
    await using watched = await open("/docs");
    const { page } = watched;
    await page.keyboard.press("/");
    await page.getByRole("checkbox", { name: "The keys / and K open the search" }).uncheck();
    await page.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("k");
    await page.reload();
    await page.locator(".search-open").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.press("k");
    expect(await searchField(page).count()).toBe(0);
    await page.keyboard.press("Control+k");
    await searchField(page).waitFor();
  });

  test("says when nothing is found", async () => {
    await using watched = await open("/docs");
    await watched.page.keyboard.press("/");
    await searchField(watched.page).fill("xyzzyplugh");
    await watched.page.getByText("Nothing found for “xyzzyplugh”.").waitFor();
  });
});

test.each([
  ["#tag/verify/POST/verify/start", "/docs/api/verify#startVerification"],
  ["#tag/verify/GET/verify/{verification_id}", "/docs/api/verify#getVerification"],
  ["#tag/api-keys", "/docs/api/api-keys"],
  ["#tag/webhooks/webhook/POST/verification.started", "/docs/api/webhooks#on_verification_started"],
  ["#description/authentication", "/docs/guides/authentication"],
  ["#description/rate-limits", "/docs/guides/rate-limits"],
  ["#description/quickstart", "/docs#quickstart"],
  ["#tag/..%5C..%5Cconsole%5Center%3Ftoken=x/webhook/a", "/docs"],
  ["#description/events-and-webhooks", "/docs/guides/webhooks"],
])("the old address /docs%s leads to the new one", async (fragment, expected) => {
  await using watched = await openPage(browser);
  await watched.page.goto(`${app.url}/docs${fragment}`);
  await watched.page.waitForURL(app.url + expected, { waitUntil: "commit" });
  // Requests of the page that was left are cut off.
  expect(watched.faults.filter((fault) => !fault.endsWith(": net::ERR_ABORTED"))).toEqual([]);
});

test("an address that is cut off within a letter is an address", async () => {
  await using watched = await open("/docs/errors#50%");
  const { page, faults } = watched;
  await page.getByRole("button", { name: "Search" }).click();
  await searchField(page).waitFor();
  expect(faults).toEqual([]);
});

test("text is as large as the reader has chosen, and fits", async () => {
  await using large = await launchBrowser({ fontSize: 32 });
  for (const width of [390, 1000, 1280]) {
    await using watched = await openPage(large, { width });
    const { page } = watched;
    await page.goto(`${app.url}/docs/api/verify`);
    expect(await page.evaluate("getComputedStyle(document.body).fontSize")).toBe("32px");
    await screenshot(page, `docs-large-text-${width}`);
    expect(await overflowOf(page), `${width}`).toBeLessThanOrEqual(0);
  }
});

describe("on paper", () => {
  test.each(["light", "dark"] as const)(
    "with %s colours everything is there, in dark ink, and nothing is cut off",
    async (colors) => {
      await using watched = await open("/docs/api/verify", { colors });
      const { page } = watched;
      await page.emulateMedia({ media: "print" });
      expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(24, 24, 27)");
      expect(
        await page.evaluate<string[]>(`[...document.querySelectorAll("main *")]
        .filter((element) => element.checkVisibility() && getComputedStyle(element).overflow !== "visible")
        .filter((element) => element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)
        .map((element) => element.outerHTML.slice(0, 100))`),
      ).toEqual([]);
      expect(await page.getByRole("button").count()).toBe(0);
      const field = page.locator("#getVerification-response-deliveries-status");
      expect((await field.boundingBox())?.height).toBeGreaterThan(20);
    },
  );
});

describe("the keyboard", () => {
  test("skips the navigation, and scrolls code", async () => {
    await using watched = await open("/docs/api/verify");
    const { page } = watched;
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").innerText()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").evaluate((element) => element.closest("main") !== null)).toBe(true);
    expect(await page.locator("pre:not([tabindex])").count()).toBe(0);
  });

  test("opens the menu of a phone, follows its links, and leaves it", async () => {
    await using watched = await open("/docs/api/verify", { width: 390 });
    const { page } = watched;
    const link = page.getByRole("navigation", { name: "Reference" }).getByRole("link", { name: "Check a code" });
    await page.getByRole("button", { name: "Menu" }).focus();
    await page.keyboard.press("Enter");
    await link.waitFor();
    await link.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${app.url}/docs/api/verify#checkVerification`);
    await expect.poll(() => link.isVisible()).toBe(false);
  });
});

describe("the pages", () => {
  test("list every operation of a group in the navigation, and mark the one in view", async () => {
    await using watched = await open("/docs/api/verify#checkVerification");
    const { page } = watched;
    const menu = page.getByRole("navigation", { name: "Reference" });
    const titles = await menu.locator(".headings a").allInnerTexts();
    const ofGroup = reader.operations().filter(({ operation }) => operation.tags[0] === "Verify");
    expect(titles).toEqual(ofGroup.map(({ operation }) => operation.summary));
    await expect.poll(() => menu.locator('[aria-current="location"]').innerText()).toBe("Check a code");
    await menu.getByRole("link", { name: "Get a verification" }).click();
    await expect.poll(() => menu.locator('[aria-current="location"]').innerText()).toBe("Get a verification");
  });

  test("show a field that is jumped to, below the bar, also one in a list that was closed", async () => {
    await using watched = await open("/docs/api/verify#getVerification-response-deliveries-status");
    const box = await watched.page.locator("#getVerification-response-deliveries-status").boundingBox();
    expect(box?.height).toBeGreaterThan(20);
    expect(box?.y).toBeGreaterThanOrEqual(52);
  });

  test("have the colours that were chosen in the console", async () => {
    await using watched = await open("/docs", { colors: "light" });
    const { page } = watched;
    await page.evaluate("localStorage.setItem('colorMode', 'dark')");
    await page.goto(`${app.url}/docs/errors`);
    await page.locator("html.dark-mode").waitFor();
  });

  test("show when the server is not ready", async () => {
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
});
