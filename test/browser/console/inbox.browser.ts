/** The inbox of the console: messages as their recipients see them, as soon as they are sent. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const clipboard = (page: Page) => page.evaluate("navigator.clipboard.readText()");

describe.each([390, 1280])("at %i px", (width) => {
  test("a mail and a WhatsApp message appear, are opened, and their codes copied", async () => {
    const { account, key } = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/inbox", { width, account });
    const { page } = watched;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByText("No messages yet").waitFor();
    const address = `a.long.name.of.somebody.${width}@inbox.example.com`;
    const number = `+65 9123 4${width % 1_000}`.padEnd(13, "1");
    await start(app, key, address);
    await rowOf(page, address).getByText("E-mail").waitFor();
    const mailCode = (await app.messageTo(address)).code;
    await rowOf(page, address).getByRole("button", { name: "Copy code" }).click();
    await expect.poll(() => clipboard(page)).toBe(mailCode);
    await page.getByRole("link", { name: address }).click();
    const drawer = page.getByRole("dialog");
    // In the mail's own tree, beside the button that copies it.
    await drawer.locator(".code", { hasText: mailCode }).waitFor();
    await drawer.getByText("As plain text").click();
    await drawer.locator("pre").getByText(mailCode).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await drawer.waitFor({ state: "hidden" });

    const { body } = await start(app, key, number.replaceAll(" ", ""), { channel: "whatsapp" });
    expect(body.status).toBe("pending");
    await page.getByRole("link", { name: number.replaceAll(" ", "") }).click();
    const { code } = await app.messageTo(number.replaceAll(" ", ""));
    await drawer.getByRole("button", { name: `Copy ${code}` }).click();
    await expect.poll(() => clipboard(page)).toBe(code);
    await drawer.getByRole("paragraph").getByText(code).waitFor();
    await expectCalm(watched, app);
  });
});

test("a code is copied without TLS, too, where browsers keep their clipboard from pages; a refusal is said", async () => {
  const { account, key } = await signUpWithKey(app);
  await start(app, key, "ada@insecure.example");
  const { code } = await app.messageTo("ada@insecure.example");
  await using watched = await openSignedIn(browser, app, "/inbox", { account });
  const { page } = watched;
  await page.context().grantPermissions(["clipboard-read"]);
  await page.addInitScript("Object.defineProperty(window, 'isSecureContext', { value: false })");
  await page.reload();
  await page.getByRole("link", { name: "ada@insecure.example" }).click();
  await page.getByRole("button", { name: `Copy ${code}` }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await clipboard(page)).toBe(code);
  await page.getByRole("button", { name: `Copy ${code}` }).waitFor();
  await page.evaluate("document.execCommand = () => false");
  await page.getByRole("button", { name: `Copy ${code}` }).click();
  await page.getByText("The browser does not let this page copy.").waitFor();
  await expectCalm(watched, app);
});

test("the messages of one mode are not shown in the other", async () => {
  const { account, key } = await signUpWithKey(app, "test");
  await start(app, key, "sandbox@inbox.example");
  await using watched = await openSignedIn(browser, app, "/inbox?mode=test", { account });
  const { page } = watched;
  await rowOf(page, "sandbox@inbox.example").waitFor();
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await page.getByText("No messages yet").waitFor();
  await expectCalm(watched, app);
});

test("an address of a message that is gone says so", async () => {
  await using watched = await openSignedIn(browser, app, "/inbox/gone");
  const { page } = watched;
  await page.getByText("This message is not here.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForURL(`${app.url}/console/inbox`);
  await expectCalm(watched, app);
});
