/** The fraud guard of the console: its rules, what it refused, and whom it never refuses. */
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
  test("countries are blocked, a refusal is counted, and a range on the safe list is not refused", async () => {
    const { account, key } = await signUpWithKey(app, "test");
    await using watched = await openSignedIn(browser, app, "/guard?mode=test", { width, colors, account });
    const { page } = watched;
    const startIn = async () => (await start(app, key, "+60123456789", { channel: "whatsapp" })).body;

    await page.getByLabel("Not these countries").fill("my xx");
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("Entry 2 must be the code of a country that has phone numbers").waitFor();
    await page.getByLabel("Not these countries").fill("my, kp");
    await page.getByLabel("Codes an hour to each country").fill("1000");
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("Settings changed. They hold on every server.").waitFor();
    await expect.poll(() => page.getByLabel("Not these countries").inputValue()).toBe("MY KP");
    expect(await findAxeViolations(page)).toEqual([]);
    expect((await startIn()).error.code).toBe("recipient_blocked");

    await page.getByRole("tab", { name: "Refusals" }).click();
    await expect
      .poll(async () => {
        await page.reload();
        return (
          (await rowOf(page, "Country not allowed")
            .textContent({ timeout: 2_000 })
            .catch(() => "")) ?? ""
        );
      })
      .toMatch(/1/);
    await rowOf(page, "Malaysia").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);

    const { body } = await app.rest("GET", "/events?type=guard_refusal.recorded", { key });
    await page.goto(`${app.url}/console/events/${body.events[0].id}?mode=test`);
    const drawer = page.getByRole("dialog", { name: "Event" });
    for (const fact of ["Country not allowed", "refused", "Malaysia", "+60123"]) {
      await drawer.locator("dl").getByText(fact).first().waitFor();
    }
    expect(await findAxeViolations(page)).toEqual([]);
    await page.goto(`${app.url}/console/guard/report?mode=test`);

    await page.getByRole("tab", { name: "Safe list" }).click();
    await page.getByText("Nobody is on the safe list").waitFor();
    await page.getByLabel("Number or range").fill("+6012x");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await rowOf(page, "+6012x").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    expect((await startIn()).status).toBe("pending");
    await page.getByRole("button", { name: "Remove +6012x from the safe list" }).click();
    await page.getByText("Nobody is on the safe list").waitFor();

    await page.getByRole("tab", { name: "Blocked ranges" }).click();
    await page.getByText("No range is blocked").waitFor();
    await expectCalm(watched, app);
  });
});
