/** The events of the console: live, paused, after a restart of the server, and by the thousand. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventWriter } from "../../capabilities/events/event-writers.ts";
import { start } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, type OwnerWithKey, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const state = (page: Page, text: string) => page.locator("header").getByRole("status").getByText(text);

/** The ids in the list, as the addresses of its rows have them. */
const shownIds = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll(".row-link")].map((link) => link.pathname.split("/").at(-1))`);

async function idsOf({ account }: OwnerWithKey): Promise<string[]> {
  const { body } = await app.rest("GET", "/events?page_size=100", { session: account.session });
  return body.events.map(({ id }: { readonly id: string }) => id);
}

/** What is listed is what happened: nothing is missing, nothing repeated, the newest first. */
async function expectAllShown(page: Page, owner: OwnerWithKey, count: number): Promise<void> {
  await expect.poll(() => idsOf(owner)).toHaveLength(count);
  await expect.poll(() => shownIds(page), { timeout: 20_000 }).toEqual(await idsOf(owner));
}

describe.each([390, 1280])("at %i px", (width) => {
  test("events appear as they happen, wait while the list is paused, and are opened in a drawer", async () => {
    const owner = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/events", { width, account: owner.account });
    const { page } = watched;
    await state(page, "Live").waitFor();
    await start(app, owner.key, `ada@first-${width}.example`);
    await rowOf(page, `a•••@first-${width}.example`).first().waitFor();
    await expectAllShown(page, owner, 3);
    await page.getByRole("button", { name: "Pause" }).click();
    await state(page, "Paused").waitFor();
    await start(app, owner.key, `ada@second-${width}.example`);
    await expect.poll(() => idsOf(owner)).toHaveLength(5);
    expect(await shownIds(page)).toHaveLength(3);
    await page.getByRole("button", { name: "Resume" }).click();
    await expectAllShown(page, owner, 5);
    await page.getByRole("link", { name: "verification.started" }).first().click();
    const drawer = page.getByRole("dialog", { name: "Event" });
    await drawer.getByRole("region", { name: "JSON of the event" }).getByText(`a•••@second-${width}.example`).waitFor();
    await page.waitForURL(/\/events\/evt_/);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "hidden" });
    await page.waitForURL(`${app.url}/console/events`);
    await expect.poll(() => page.evaluate("document.activeElement.className")).toBe("row-link");
    await expectCalm(watched, app);
  });

  test("a filter is kept in the address, and what is live keeps to it", async () => {
    const owner = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/events", { width, account: owner.account });
    const { page } = watched;
    await page.getByRole("button", { name: /^All types/ }).click();
    await page.getByRole("option", { name: "verification.started" }).click();
    await page.getByText("No such events").waitFor();
    await start(app, owner.key, `ada@typed-${width}.example`);
    await rowOf(page, `a•••@typed-${width}.example`).waitFor();
    expect(await shownIds(page)).toHaveLength(1);
    expect(new URL(page.url()).search).toBe("?type=verification.started");
    await page.getByRole("textbox", { name: "Object" }).fill(owner.keyId);
    await page.keyboard.press("Enter");
    await page.getByText("No such events").waitFor();
    await page.reload();
    expect(await page.getByRole("textbox", { name: "Object" }).inputValue()).toBe(owner.keyId);
    await page.getByRole("textbox", { name: "Object" }).fill("");
    await rowOf(page, `a•••@typed-${width}.example`).waitFor();
    await expectCalm(watched, app);
  });
});

test("a server that stops and starts again while the page is open costs no event, and repeats none", async () => {
  const port = await freePort();
  const first = await app.startAnother({ port });
  const owner = await signUpWithKey(app);
  await using watched = await openSignedIn(browser, first, "/events", { account: owner.account });
  const { page, faults } = watched;
  await start(app, owner.key, "before@events.example");
  await expectAllShown(page, owner, 3);
  await first.app.close();
  await state(page, "Reconnecting").waitFor();
  await start(app, owner.key, "meanwhile@events.example");
  await using _second = await app.startAnother({ port });
  await state(page, "Live").waitFor();
  await expectAllShown(page, owner, 5);
  expect(faults.filter((fault) => !/net::ERR_/.test(fault))).toEqual([]);
});

test("the events of one mode are not shown in the other", async () => {
  const owner = await signUpWithKey(app);
  await using watched = await openSignedIn(browser, app, "/events", { account: owner.account });
  const { page } = watched;
  await state(page, "Live").waitFor();
  await start(app, owner.key, "live@events.example");
  await expectAllShown(page, owner, 3);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText("Nothing has happened yet").waitFor();
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expectAllShown(page, owner, 3);
  await expectCalm(watched, app);
});

test("thousands of events at once leave the newest in the list, without a gap, and a drawer leaves it where it was scrolled to", async () => {
  const owner = await signUpWithKey(app);
  await using watched = await openSignedIn(browser, app, "/events", { account: owner.account });
  const { page } = watched;
  await state(page, "Live").waitFor();
  await rowOf(page, "api_key.created").waitFor();
  await using writer = await EventWriter.open(app.databaseUrl);
  const written = { workspaceId: owner.account.workspaceId, mode: "live", keyId: owner.keyId } as const;
  for (let round = 0; round < 3; round += 1) {
    await writer.write(written, 1_000);
    await writer.number();
  }
  const newest = (await writer.ids(written)).toReversed();
  expect(newest).toHaveLength(3_001);
  await expect.poll(async () => (await shownIds(page))[0], { timeout: 30_000 }).toBe(newest[0]);
  await expect
    .poll(async () => {
      const shown = await shownIds(page);
      return shown.every((id, index) => id === newest[index]);
    })
    .toBe(true);
  await page.locator(".row-link").nth(40).click();
  const scrolled = await page.evaluate("scrollY");
  await page.getByRole("dialog", { name: "Event" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Event" }).waitFor({ state: "hidden" });
  expect(await page.evaluate("scrollY")).toBe(scrolled);
  await expectCalm(watched, app);
});

test("an address of an event that does not exist opens a drawer that says so", async () => {
  await using watched = await openSignedIn(browser, app, "/events/evt_aaaaaaaaaaaaaaaaaaaaaa");
  const { page } = watched;
  await page.getByRole("dialog", { name: "Event" }).getByRole("alert").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForURL(`${app.url}/console/events`);
  await expectCalm(watched, app);
});
