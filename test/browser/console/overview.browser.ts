/** The overview of the console: what it says is what was done. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, start, startAndRead } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp({}, { sweepIntervalMs: 200 }), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const figure = (page: Page, name: string) => page.locator("dl > div", { hasText: name }).locator("dd").first();

describe.each([390, 1280])("at %i px", (width) => {
  test("a new workspace learns how to send its first code; then the numbers are those of what was done", async () => {
    const { account, key } = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/", { width, account });
    const { page } = watched;
    await page.getByRole("heading", { name: "Send your first code" }).waitFor();
    for (const name of ["first", "second"]) {
      const { id, code } = await startAndRead(app, key, `${name}-${width}@overview.example`);
      expect(await check(app, key, id, code)).toBe("approved");
    }
    await start(app, key, `third-${width}@overview.example`);
    await start(app, key, "no address");
    await expect.poll(() => figure(page, "Requests").innerText(), { timeout: 20_000 }).toBe("6");
    expect(await figure(page, "Verifications started").innerText()).toBe("3");
    expect(await figure(page, "Approved").innerText()).toBe("2");
    await page.getByText("67 % conversion").waitFor();
    await page.getByText("1 failed").waitFor();
    await rowOf(page, "E-mail").getByText("3", { exact: true }).waitFor();
    await rowOf(page, "validation_error").getByText("1", { exact: true }).waitFor();
    await page.getByRole("img", { name: /^Verifications over time/ }).waitFor();
    await page.getByText("As a table").click();
    await page.getByText("7 days").click();
    await page.waitForURL((url) => url.search === "?period=7d");
    await page.getByText("By the day in UTC").waitFor();
    expect(await figure(page, "Verifications started").innerText()).toBe("3");
    const funnel = page.getByRole("table", { name: "Funnel" });
    await expect
      .poll(() => funnel.innerText(), { timeout: 60_000 })
      .toMatch(/Started\s+3\s+100 %\s+Sent\s+3\s+100 %\s+Delivered\s+3\s+100 %\s+Approved\s+2\s+67 %/);
    await page.getByText("Median time to approval").waitFor();
    await page.getByRole("link", { name: "By day, country, provider and key" }).waitFor();
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.getByRole("heading", { name: "Send your first code" }).waitFor();
    expect(await figure(page, "Verifications started").innerText()).toBe("0");
    await expectCalm(watched, app);
  });
});

test("a period that does not exist is the default", async () => {
  await using watched = await openSignedIn(browser, app, "/?period=constructor");
  const { page } = watched;
  expect(await page.getByLabel("24 hours").isChecked()).toBe(true);
  await expectCalm(watched, app);
});
