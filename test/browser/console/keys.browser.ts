/** The console's keys: what a person does with them, against real calls with the keys themselves. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn } from "./console-page.ts";
import { settle } from "./routes.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

/** The whole key that the dialog shows. */
async function shownKey(page: Page): Promise<string> {
  return (await page.getByRole("region", { name: "key", exact: true }).innerText()).trim();
}

async function choose(page: Page, field: string, option: string): Promise<void> {
  await page.getByRole("button", { name: field }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

/** What the API says to a key that may look up numbers. */
async function lookupStatus(key: string): Promise<number> {
  return (await app.rest("GET", "/lookup?number=%2B6591234567", { key })).status;
}

describe.each([390, 1280])("at %i px", (width) => {
  test("a key is created, restricted, used, changed, rotated and revoked, and every step holds for the next call", async () => {
    await using watched = await openSignedIn(browser, app, "/keys?mode=test", { width });
    const { page } = watched;
    await page.getByText("Create your first test key").waitFor();
    await page.getByRole("button", { name: "Create key" }).first().click();
    expect(new URL(page.url()).pathname).toBe("/console/keys/new");
    const form = page.getByRole("dialog", { name: "Create a key" });
    await form.getByRole("textbox", { name: "Name" }).fill("Checkout server");
    await choose(page, "Access", "Only chosen scopes");
    await form.getByRole("checkbox", { name: "lookup" }).focus();
    await page.keyboard.press("Space");
    await choose(page, "Expires", "In 30 days");
    await form.getByLabel("Requests a minute").fill("600");
    await form.getByRole("button", { name: "Create key" }).click();

    const shown = page.getByRole("dialog", { name: "is created" });
    await shown.waitFor();
    const key = await shownKey(page);
    expect(await shown.getByRole("region", { name: ".env line" }).innerText()).toContain(`BYONDAPI_KEY=${key}`);
    expect(await shown.getByRole("region", { name: "curl" }).innerText()).toContain(`${app.url}/api/v1/auth/me`);
    await shown.getByRole("button", { name: "Done" }).click();
    await shown.getByText("You have not copied the key").waitFor();
    await page.keyboard.press("Escape");
    await shown.getByRole("button", { name: "Back to the key" }).click();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await shown.getByRole("button", { name: "Copy .env line" }).click();
    await shown.getByRole("button", { name: "Copied .env line" }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(`BYONDAPI_KEY=${key}`);
    await shown.getByRole("button", { name: "Done" }).click();
    await shown.waitFor({ state: "hidden" });

    expect(await lookupStatus(key)).toBe(200);
    expect((await app.rest("GET", "/verifications", { key })).body.error.code).toBe("insufficient_scope");

    await page.getByRole("link", { name: "Checkout server" }).click();
    await page.getByRole("heading", { name: "Checkout server", level: 1 }).waitFor();
    await page.getByText("600 a minute").waitFor();
    await page.getByRole("link", { name: "Created" }).waitFor();
    const keyPage = page.url();

    await page.getByRole("button", { name: "Edit" }).click();
    expect(new URL(page.url()).pathname).toMatch(/\/edit$/);
    const edit = page.getByRole("dialog", { name: "Edit key" });
    await edit.getByLabel("IP allowlist").fill("203.0.113.7");
    await edit.getByRole("button", { name: "Save changes" }).click();
    await edit.waitFor({ state: "hidden" });
    await page.getByText("203.0.113.7").waitFor();
    expect((await app.rest("GET", "/lookup?number=%2B6591234567", { key })).body.error.code).toBe("ip_not_allowed");
    await page.getByRole("button", { name: "Edit" }).click();
    await edit.getByLabel("IP allowlist").fill("");
    await edit.getByRole("button", { name: "Save changes" }).click();
    await edit.waitFor({ state: "hidden" });
    expect(await lookupStatus(key)).toBe(200);

    await page.getByRole("button", { name: "Rotate" }).click();
    await page.getByRole("dialog", { name: "Rotate" }).getByRole("button", { name: "Rotate key" }).click();
    await page.getByText("The old secret still works").waitFor();
    const rotated = await shownKey(page);
    expect(rotated).not.toBe(key);
    expect(await Promise.all([lookupStatus(key), lookupStatus(rotated)])).toEqual([200, 200]);
    await page.getByRole("button", { name: "Copy key", exact: true }).click();
    await page.getByRole("button", { name: "Done" }).click();

    await page.getByRole("button", { name: "Revoke" }).click();
    const revoke = page.getByRole("dialog", { name: "Revoke" });
    await revoke.getByLabel("Reason").fill("A trial");
    await revoke.getByRole("button", { name: "Revoke key" }).click();
    await page.getByText("No server accepts this key any more").waitFor();
    expect(await Promise.all([lookupStatus(key), lookupStatus(rotated)])).toEqual([401, 401]);
    await page.getByText("A trial").waitFor();
    await page.reload();
    await page.getByText("No server accepts this key any more").waitFor();
    expect(page.url()).toBe(keyPage);
    await expectCalm(watched, app);
  });

  test("a key is found by its name, status and mode, and the address keeps what was looked for", async () => {
    const account = await app.signUp();
    const make = (body: object) => app.rest("POST", "/api-keys", { session: account.session, body });
    await make({ name: "Live one" });
    await make({ name: "Sandbox", mode: "test" });
    const revoked = await make({ name: "Revoked one", mode: "test" });
    await app.rest("DELETE", `/api-keys/${revoked.body.id}`, { session: account.session });
    await using watched = await openSignedIn(browser, app, "/keys", { width, account });
    const { page } = watched;
    const names = () => page.locator(".row-link").allInnerTexts();
    expect(await names()).toEqual(["Live one"]);
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await expect.poll(names).toEqual(["Sandbox"]);
    await choose(page, "Status", "Revoked");
    await expect.poll(names).toEqual(["Revoked one"]);
    await choose(page, "Status", "All");
    await page.getByLabel("Find").fill("sandbox");
    await expect.poll(names).toEqual(["Sandbox"]);
    await page.reload();
    await settle(page);
    expect(await names()).toEqual(["Sandbox"]);
    expect(new URL(page.url()).search).toBe("?mode=test&status=all&q=sandbox");
    await expectCalm(watched, app);
  });
});

test("every problem of a new key is shown at its field, the first of them gets the focus, and nothing is lost", async () => {
  await using watched = await openSignedIn(browser, app, "/keys/new");
  const { page } = watched;
  await choose(page, "Access", "Only chosen scopes");
  await page.getByLabel("IP allowlist").fill("203.0.113.7\nnonsense");
  await page.getByLabel("Requests a minute").fill("2000000");
  const create = page.getByRole("dialog").getByRole("button", { name: "Create key" });
  await create.click();
  await page.getByText("must be between 1 and 1000000", { exact: false }).waitFor();
  await page.getByText("Entry 2 must be an IPv4 or IPv6 address").waitFor();
  expect(await page.evaluate("document.activeElement.name")).toBe("name");
  expect(await page.getByRole("alert").locator("li").count()).toBe(0);
  await page.getByRole("textbox", { name: "Name" }).fill("Checkout server");
  await page.getByRole("checkbox", { name: "verify" }).focus();
  await page.keyboard.press("Space");
  await page.getByLabel("IP allowlist").fill("203.0.113.7");
  await page.getByLabel("Requests a minute").fill("20");
  await choose(page, "Expires", "On a date");
  await page.getByLabel("Date and time").fill("2020-01-01T10:00");
  await create.click();
  await page.getByText("must be in the future").waitFor();
  await page.getByLabel("Date and time").fill("2090-01-01T10:00");
  await create.click();
  await page.getByRole("dialog", { name: "is created" }).waitFor();
  await expectCalm(watched, app);
});

test("a list of hundreds of keys shows more on demand, and a key that is revoked in it leaves the focus in the list", async () => {
  const account = await app.signUp();
  for (let index = 0; index < 120; index += 1) {
    await app.rest("POST", "/api-keys", { session: account.session, body: { name: `Server ${index}` } });
  }
  await using watched = await openSignedIn(browser, app, "/keys", { account });
  const { page } = watched;
  expect(await page.locator(".row-link").count()).toBe(100);
  await page.getByRole("button", { name: "Load more" }).click();
  await expect.poll(() => page.locator(".row-link").count()).toBe(120);
  await page.getByRole("button", { name: "Actions for “\u2068Server 119\u2069”" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("no server accepts it any more").waitFor();
  await expect.poll(() => page.locator(".row-link").count()).toBe(119);
  await expect.poll(() => page.evaluate("document.activeElement.className")).toBe("data-table");
  await expectCalm(watched, app);
});

test("an address of a key that is not there says so", async () => {
  await using watched = await openSignedIn(browser, app, "/keys/key_2kJdTnLcMbQeRwXyZaBcDe");
  await watched.page.getByText("Your workspace has no such key").waitFor();
  await expectCalm(watched, app);
});

test("a publishable key is created with its origins, shown again, and works in pages of them alone", async () => {
  await using watched = await openSignedIn(browser, app, "/keys/new?mode=test");
  const { page } = watched;
  const form = page.getByRole("dialog", { name: "Create a key" });
  await form.getByRole("textbox", { name: "Name" }).fill("Shop page");
  await choose(page, "Kind", "Publishable: for web pages, which check and resend codes");
  expect(await form.getByRole("button", { name: "Access" }).count()).toBe(0);
  await form.getByLabel("Origins").fill("https://shop.example/cart");
  await form.getByRole("button", { name: "Create key" }).click();
  await page.getByText("must be an origin without a path", { exact: false }).waitFor();
  await form.getByLabel("Origins").fill("https://Shop.example\nhttp://localhost:3000");
  await form.getByRole("button", { name: "Create key" }).click();
  const shown = page.getByRole("dialog", { name: "is created" });
  await shown.waitFor();
  const key = await shownKey(page);
  expect(key).toMatch(/^pk_pub_test_/);
  await shown.getByRole("button", { name: "Done" }).click();
  await shown.waitFor({ state: "hidden" });
  const check = async (origin: string) =>
    (
      await app.rest("POST", "/verify/check", {
        key,
        headers: { Origin: origin },
        body: { verification_id: "vrf_none", code: "1" },
      })
    ).body.error.code;
  expect(await check("https://shop.example")).toBe("not_found");
  expect(await check("https://evil.example")).toBe("origin_not_allowed");
  await page.getByRole("link", { name: "Shop page" }).click();
  await page.getByText("https://shop.example, http://localhost:3000").waitFor();
  await page.getByText(key).first().waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: "Edit key" });
  await edit.getByLabel("Origins").fill("https://other.example");
  await edit.getByRole("button", { name: "Save changes" }).click();
  await edit.waitFor({ state: "hidden" });
  expect(await check("https://other.example")).toBe("not_found");
  expect(await check("https://shop.example")).toBe("origin_not_allowed");
  await expectCalm(watched, app);
});
