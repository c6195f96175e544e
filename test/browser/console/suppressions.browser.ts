/** The suppressions of the console: who cannot be reached, and how somebody ends it. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start } from "../../capabilities/verify/verify-calls.ts";
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

describe.each([
  { width: 390, colors: "dark" },
  { width: 1280, colors: "light" },
] as const)("at $width px", ({ width, colors }) => {
  test("a suppression is found by channel and recipient, leads to its verification, and is deleted", async () => {
    const { account, key } = await signUpWithKey(app, "test");
    const options = { width, colors, account };
    await using watched = await openSignedIn(browser, app, "/suppressions?mode=test", options);
    const { page } = watched;
    await page.getByText("Nobody is suppressed").waitFor();
    await start(app, key, "undeliverable@example.com");
    const refusal = async () => (await start(app, key, "undeliverable@example.com")).body.error?.code;
    await expect.poll(refusal).toBe("undeliverable");
    await page.reload();
    const row = rowOf(page, "u•••@example.com");
    await row.getByText("the sandbox's recipient is undeliverable").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByRole("textbox", { name: "Recipient" }).fill("somebody@example.com");
    await page.keyboard.press("Enter");
    await page.getByText("No such suppressions").waitFor();
    expect(page.url()).not.toContain("somebody");
    await page.getByRole("textbox", { name: "Recipient" }).fill("Undeliverable@example.com");
    await page.keyboard.press("Enter");
    await row.waitFor();
    await page.getByRole("button", { name: /^All channels/ }).click();
    await page.getByRole("option", { name: "SMS" }).click();
    await page.getByText("No such suppressions").waitFor();
    await page.goto(`${app.url}/console/suppressions?mode=test`);
    await page.getByRole("link", { name: "u•••@example.com" }).click();
    await page.getByRole("heading", { name: "u•••@example.com", level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Delete the suppression of u•••@example.com" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete this suppression?" });
    expect(await findAxeViolations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Delete suppression" }).click();
    await page.getByText("Nobody is suppressed").waitFor();
    expect((await start(app, key, "undeliverable@example.com")).status).toBe(201);
    await expectCalm(watched, app);
  });
});
