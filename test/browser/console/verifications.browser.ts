/** The verifications of the console: the list and the page of one, as they change, and what can be done there. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, start, startAndRead, wrongFor } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
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

const badge = (page: Page, text: string) => page.locator("header .badge", { hasText: text });
const timeline = (page: Page) => page.locator("ol").getByRole("link");

test("WhatsApp is not offered for the code of a payment, which its messages cannot show", async () => {
  const { account, key } = await signUpWithKey(app);
  const payment = { payee: "Books", amount: { value: "9.90", currency: "EUR" } };
  const { id } = await startAndRead(app, key, "payer@example.com", payment);
  await using watched = await openSignedIn(browser, app, `/verifications/${id}`, { width: 1280, account });
  const { page } = watched;
  await page.getByRole("button", { name: "Resend code" }).click();
  await page
    .getByRole("dialog", { name: "Resend code" })
    .getByRole("button", { name: /Channel/ })
    .click();
  await page.getByRole("option", { name: "SMS" }).waitFor();
  expect(await page.getByRole("option").allTextContents()).toEqual(["E-mail", "SMS", "Voice"]);
});

describe.each([390, 1280])("at %i px", (width) => {
  test("a verification appears in the list, and its page follows it to its approval, without a reload", async () => {
    const { account, key } = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/verifications", { width, account });
    const { page } = watched;
    await page.getByText("No verifications yet").waitFor();
    const recipient = `a•••@a-long-name-of-a-host.${width}.verifications.example.com`;
    const started = await startAndRead(app, key, recipient.replace("•••", "da"), { metadata: { order: "1042" } });
    await rowOf(page, recipient).getByText("Pending").waitFor();
    await page.getByRole("link", { name: recipient }).click();
    await page.getByRole("heading", { name: recipient, level: 1 }).waitFor();
    await page.getByText("1042").waitFor();
    await timeline(page).filter({ hasText: "verification.delivered" }).waitFor();
    expect(await check(app, key, started.id, wrongFor(started))).toBe("incorrect");
    await page.locator(".fact", { hasText: "Wrong codes left" }).getByText("4").waitFor();
    expect(await check(app, key, started.id, started.code)).toBe("approved");
    await badge(page, "Approved").waitFor();
    await timeline(page).filter({ hasText: "verification.approved" }).waitFor();
    expect(await timeline(page).allTextContents()).toEqual([
      "verification.started",
      "verification.delivered",
      "verification.approved",
    ]);
    await page.getByRole("button", { name: "Resend code" }).waitFor({ state: "detached" });
    await page.getByRole("main").getByRole("link", { name: "Verifications" }).click();
    await rowOf(page, recipient).getByText("Approved").waitFor();
    await expectCalm(watched, app);
  });

  test("a code is resent over another channel, and the verification canceled", async () => {
    const { account, key } = await signUpWithKey(app);
    const { id } = await startAndRead(app, key, `resent-${width}@example.com`);
    await using watched = await openSignedIn(browser, app, `/verifications/${id}`, { width, account });
    const { page } = watched;
    await page.getByRole("button", { name: "Resend code" }).click();
    const dialog = page.getByRole("dialog", { name: "Resend code" });
    await dialog.getByRole("button", { name: /Channel/ }).click();
    await page.getByRole("option", { name: "WhatsApp" }).click();
    await dialog.getByLabel("Phone number").fill("12");
    await dialog.getByRole("button", { name: "Resend code" }).click();
    await dialog.locator(".field-error").waitFor();
    await dialog.getByLabel("Phone number").fill("+6591234567");
    await dialog.getByRole("button", { name: "Resend code" }).click();
    await page.getByText("Code sent again").waitFor();
    await dialog.waitFor({ state: "hidden" });
    await rowOf(page, "WhatsApp").getByText("Sent", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Cancel verification" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel verification" }).click();
    await badge(page, "Canceled").waitFor();
    await timeline(page).filter({ hasText: "verification.canceled" }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
    await expectCalm(watched, app);
  });
});

test("the steps of a fallback say what became of them, and each message who sent it", async () => {
  const { account, key } = await signUpWithKey(app, "test");
  const fallback = [
    { channel: "sms", after_seconds: 5 },
    { channel: "email", recipient: "ada@example.com", after_seconds: 600 },
  ];
  const { body } = await start(app, key, "+12125550140", { channel: "whatsapp", fallback });
  await using watched = await openSignedIn(browser, app, `/verifications/${body.verification_id}?mode=test`, {
    account,
  });
  const { page } = watched;
  const steps = page.getByRole("table", { name: "Fallback" });
  await steps.getByRole("row", { name: /^SMS .* Refused The channel has no provider 5 s/ }).waitFor();
  await steps.getByRole("row", { name: /^E-mail .* Taken Sent 600 s/ }).waitFor();
  await page.getByRole("table", { name: "Messages" }).getByText("sandbox", { exact: true }).nth(1).waitFor();
  expect(await findAxeViolations(page)).toEqual([]);
  await expectCalm(watched, app);
});

test("the list is filtered by status, channel and recipient; the address keeps all but the recipient", async () => {
  const { account, key } = await signUpWithKey(app);
  const kept = await startAndRead(app, key, "ada@kept.example");
  await check(app, key, kept.id, kept.code);
  await start(app, key, "ada@other.example");
  await using watched = await openSignedIn(browser, app, "/verifications", { account });
  const { page } = watched;
  await rowOf(page, "a•••@other.example").waitFor();
  await page.getByRole("button", { name: /^All statuses/ }).click();
  await page.getByRole("option", { name: "Approved" }).click();
  await rowOf(page, "a•••@other.example").waitFor({ state: "detached" });
  await rowOf(page, "a•••@kept.example").waitFor();
  expect(new URL(page.url()).search).toBe("?status=approved");
  await page.getByRole("textbox", { name: "Recipient" }).fill("nobody@filters.example");
  await page.keyboard.press("Enter");
  await page.getByText("No such verifications").waitFor();
  expect(page.url()).not.toContain("nobody");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.waitForURL((url) => url.search === "?status=approved&mode=test");
  expect(await page.getByRole("textbox", { name: "Recipient" }).inputValue()).toBe("");
  await expectCalm(watched, app);
});

test("the arrow keys go through the rows, Enter opens one, and Back leads to the list", async () => {
  const { account, key } = await signUpWithKey(app);
  await start(app, key, "ada@first.example");
  await start(app, key, "ada@second.example");
  await using watched = await openSignedIn(browser, app, "/verifications", { account });
  const { page } = watched;
  await page.getByRole("link", { name: "a•••@second.example" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "a•••@first.example" }).waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
  await page.goBack();
  await page.getByRole("link", { name: "a•••@second.example" }).waitFor();
  await expectCalm(watched, app);
});

test("an address of a verification that does not exist says so, with the request's id", async () => {
  await using watched = await openSignedIn(browser, app, "/verifications/vrf_aaaaaaaaaaaaaaaaaaaaaa");
  const { page } = watched;
  await page.getByRole("alert").getByText(/^req_/).waitFor();
  expect(watched.requests.filter((url) => url.endsWith("/StreamEvents"))).toEqual([]);
  await expectCalm(watched, app);
});
