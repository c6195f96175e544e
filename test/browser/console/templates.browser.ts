/** The templates of the console: a text of one's own beside the message that it makes. */
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
  test("a text of one's own is previewed while it is written, saved, sent, and deleted", async () => {
    const { account, key } = await signUpWithKey(app, "test");
    await using watched = await openSignedIn(browser, app, "/templates?mode=test", { width, colors, account });
    const { page } = watched;
    await page.getByText("No templates").waitFor();
    await page.getByRole("button", { name: "Create template" }).first().click();
    const preview = page.getByRole("region", { name: "Preview" });
    // Without a text it shows ours.
    await preview.getByText("What is sent today.").waitFor();
    await preview.getByText("Your Acme code", { exact: true }).waitFor();
    await page.getByLabel("Language").fill("de");
    await page.getByRole("textbox", { name: "Subject" }).fill("Dein Code für {{brand}}");
    await page.getByRole("textbox", { name: "Text", exact: true }).fill("Hallo! Dein Code: {{cod}}");
    await preview.getByText("text", { exact: true }).waitFor();
    await page.getByRole("textbox", { name: "Text", exact: true }).fill("Hallo! Dein Code: {{code}}, gültig {{time}}.");
    await preview.getByText("Subject: Dein Code für Acme").waitFor();
    expect(await preview.locator("pre").textContent()).toContain("Hallo! Dein Code: 123456, gültig 5 Minuten.");
    await page.getByLabel("Text color").fill("#eeeeee");
    await page.getByRole("button", { name: "Save template" }).click();
    await page.locator(".field-error").first().waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByLabel("Text color").fill("");
    await page.getByRole("button", { name: "Save template" }).click();
    await page.getByText("Template saved. Messages from now on have it.").waitFor();
    await page.getByRole("heading", { name: "E-mail, de", level: 1 }).waitFor();

    await start(app, key, "ada@example.com", { locale: "de-AT" });
    const { subject, text } = await app.messageTo("ada@example.com");
    expect(subject).toMatch(/^Dein Code für /);
    expect(text).toContain("Hallo! Dein Code: 000000");

    await page.getByRole("link", { name: "Templates" }).last().click();
    await rowOf(page, "E-mail, de").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Delete the template E-mail, de" }).click();
    await page.getByRole("button", { name: "Delete template" }).click();
    await page.getByText("No templates").waitFor();
    await expectCalm(watched, app);
  });
});
