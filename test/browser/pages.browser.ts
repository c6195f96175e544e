/** The pages that people meet beside the reference: the inbox, and an address that is none. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage, overflowOf, screenshot } from "./browser.ts";
import { findLowContrastTexts } from "./low-contrast.ts";

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

const looks = [
  { name: "desk-light", width: 1280, colors: "light" },
  { name: "desk-dark", width: 1280, colors: "dark" },
  { name: "phone-light", width: 390, colors: "light" },
  { name: "phone-dark", width: 390, colors: "dark" },
] as const;

describe.each(looks)("$name", ({ name, width, colors }) => {
  test("the link opens the inbox: the newest message first, its code in large type, everything within the width", async () => {
    await using server = await startTestApp();
    const key = await server.mintKey();
    await using watched = await openPage(browser, { width, colors });
    const { page, faults, requests } = watched;
    await page.goto(server.app.inboxLink ?? "");
    await page.locator('.status[data-state="operational"]').waitFor();
    await screenshot(page, `inbox-empty-${name}`);
    for (const recipient of ["a-rather-long-name.of.somebody+with.a.tag@mail.department.example.com", "+6591234567"]) {
      const channel = recipient.startsWith("+") ? "whatsapp" : "email";
      const body = { channel, recipient, brand: "Acme & Söhne", code_length: 8 };
      expect((await server.rest("POST", "/verify/start", { key, body })).status).toBe(201);
      const messages = async () => (await fetch(`${server.url}/dev/inbox`, { headers: { "X-API-Key": key } })).text();
      await expect.poll(messages, { timeout: 10_000 }).toContain(recipient);
      await page.getByRole("link", { name: "Reload" }).click();
      await page.getByText(recipient, { exact: true }).waitFor();
    }
    await page.locator('.status[data-state="operational"]').waitFor();
    await screenshot(page, `inbox-${name}`);
    expect(page.url()).toBe(`${server.url}/dev/inbox`);
    expect(await page.locator(".message-recipient").allInnerTexts()).toEqual([
      "+6591234567",
      "a-rather-long-name.of.somebody+with.a.tag@mail.department.example.com",
    ]);
    for (const code of await page.locator(".message-code").all()) {
      expect(await code.innerText()).toMatch(/^\d{8}$/);
      expect((await code.boundingBox())?.height).toBeGreaterThan(35);
    }
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await page.locator("html").getAttribute("class")).toBe(`${colors}-mode`);
    expect(await findLowContrastTexts(page, "body")).toEqual([]);
    expect(faults).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${server.url}/`))).toEqual([]);
  });

  test("a closed inbox and an unknown address explain themselves", async () => {
    await using watched = await openPage(browser, { width, colors });
    const { page, faults } = watched;
    for (const [path, title] of [
      ["/dev/inbox", "Inbox"],
      ["/some/where/else", "Not found"],
    ] as const) {
      await page.goto(app.url + path);
      await page.getByRole("heading", { name: title }).waitFor();
      await page.locator('.status[data-state="operational"]').waitFor();
      await screenshot(page, `${title.toLowerCase().replace(" ", "-")}-refused-${name}`);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      expect(await findLowContrastTexts(page, "body")).toEqual([]);
    }
    // The browser itself reports the two statuses.
    expect(faults.filter((fault) => !/status of 40[14]/.test(fault))).toEqual([]);
    await page.getByRole("link", { name: "not_found" }).click();
    await page.waitForURL(`${app.url}/docs/errors#not_found`);
  });
});

test("one browser can use the inboxes of two servers on one machine", async () => {
  await using one = await startTestApp();
  await using other = await startTestApp();
  await using watched = await openPage(browser);
  const { page } = watched;
  for (const address of [one.app.inboxLink, other.app.inboxLink, `${one.url}/dev/inbox`, `${other.url}/dev/inbox`]) {
    await page.goto(address ?? "");
    await page.getByText("0 messages").waitFor();
  }
});

test("a link from another page on this machine opens the inbox", async () => {
  await using server = await startTestApp();
  await using watched = await openPage(browser);
  const { page } = watched;
  await page.goto(server.app.inboxLink ?? "");
  await page.goto(`${app.url}/docs/errors`);
  await page.evaluate(`location.href = "${server.url}/dev/inbox"`);
  await page.getByRole("link", { name: "open the inbox" }).click();
  await page.getByText("0 messages").waitFor();
});

// WCAG 2.2 §1.4.10: also a page that is magnified four times on a desk.
test.each(["/docs", "/docs/api/verify", "/docs/errors", "/dev/inbox", "/nowhere"])(
  "%s fits into a window of 320 pixels",
  async (path) => {
    await using watched = await openPage(browser, { width: 320 });
    const { page } = watched;
    await page.goto(app.url + path);
    await page.locator('.status[data-state="operational"]').waitFor();
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    const mark = await page.locator(".status .mark").boundingBox();
    expect((mark?.x ?? 320) + (mark?.width ?? 0)).toBeLessThanOrEqual(320);
    await page.getByRole("link", { name: "Byond", exact: true }).waitFor();
    await screenshot(page, `narrow${path.replaceAll("/", "-")}`);
  },
);

test("a page with DNS rebinding cannot read the inbox, even in the browser that has its cookie", async () => {
  await using server = await startTestApp();
  await using watched = await openPage(browser);
  const { page } = watched;
  await page.goto(server.app.inboxLink ?? "");
  await page.goto(server.url.replace("127.0.0.1", "rebound.localhost"));
  const status = await page.evaluate<number>(
    "fetch('/dev/inbox', { credentials: 'include' }).then(({ status }) => status)",
  );
  expect(status).toBe(401);
});
