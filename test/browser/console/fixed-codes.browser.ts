/** The fixed codes of the console: made with the password, loud on every page, and deleted. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start } from "../../capabilities/verify/verify-calls.ts";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp({ allowsFixedCodes: true }), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

describe.each([
  { width: 390, colors: "dark" },
  { width: 1280, colors: "light" },
] as const)("at $width px", ({ width, colors }) => {
  test("a fixed code is made with the password, marks verifications, warns on every page, and is deleted", async () => {
    const { account, key } = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/fixed-codes", { width, colors, account });
    const { page } = watched;
    await page.getByText("No fixed codes").waitFor();
    await page.getByRole("button", { name: "Create fixed code" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Create fixed code" });
    await dialog.getByLabel("Recipient").fill("reviewer@example.com");
    await dialog.getByLabel("Note").fill("Review of the app");
    await dialog.getByLabel("Password").fill("not the password");
    await dialog.getByRole("button", { name: "Create fixed code" }).click();
    await dialog.getByRole("alert").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await dialog.getByLabel("Password").fill(password);
    await dialog.getByRole("button", { name: "Create fixed code" }).click();
    await rowOf(page, "reviewer@example.com").getByText("Review of the app").waitFor();
    const list = await app.rest("GET", "/fixed-codes", { session: account.session });
    await rowOf(page, list.body.fixed_codes[0].code).waitFor();
    await page.locator("[data-live-announcer] [role=img]").first().waitFor({ state: "detached" });
    expect(await findAxeViolations(page)).toEqual([]);
    const { body } = await start(app, key, "reviewer@example.com");
    await page.goto(`${app.url}/console/verifications`);
    const bar = page.getByText("1 recipient has a fixed code");
    await bar.waitFor();
    await rowOf(page, "r•••@example.com").getByText("Fixed code").waitFor();
    await page.getByRole("link", { name: "r•••@example.com" }).click();
    await page.waitForURL(`${app.url}/console/verifications/${body.verification_id}`);
    await page.getByText("The recipient has a fixed code.").waitFor();
    await page.getByRole("link", { name: "Show fixed codes" }).click();
    await page.getByRole("button", { name: "Delete the fixed code of reviewer@example.com" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete fixed code" }).click();
    await page.getByText("No fixed codes").waitFor();
    await bar.waitFor({ state: "detached" });
    await page.goto(`${app.url}/console/events`);
    await rowOf(page, "fixed_code.deleted").waitFor();
    await expectCalm(watched, app);
  });
});

test("a server that does not allow them says so, on their page alone", async () => {
  await using plain = await startTestApp();
  await using watched = await openSignedIn(browser, plain, "/fixed-codes");
  const { page } = watched;
  await page.getByText("This server does not allow fixed codes").waitFor();
  await page.getByRole("button", { name: "Create fixed code" }).waitFor({ state: "detached" });
  expect(await findAxeViolations(page)).toEqual([]);
  await expectCalm(watched, plain);
});
