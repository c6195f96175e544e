/** The reports of the console: what became of verifications, by group, and as a file. */
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, start, startAndRead } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, signUpWithKey } from "./console-page.ts";

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
  test("a report is grouped by what was chosen, and downloaded as it is shown", async () => {
    const { account, key } = await signUpWithKey(app, "test");
    await using watched = await openSignedIn(browser, app, "/reports?mode=test", { width, colors, account });
    const { page } = watched;
    await page.getByText("No verifications in this period").waitFor();
    const { id, code } = await startAndRead(app, key, `report-${width}@example.com`);
    await start(app, key, "+6591234567", { channel: "voice" });
    expect(await check(app, key, id, code)).toBe("approved");
    const reported = async () => {
      const { body } = await app.rest("GET", "/reports/verifications", { key });
      return [body.groups[0]?.started, body.groups[0]?.approved];
    };
    await expect.poll(reported, { timeout: 20_000 }).toEqual([2, 1]);
    await page.reload();
    await page.getByText("100 %").waitFor();
    await page.getByRole("button", { name: /^Day/ }).click();
    await page.getByRole("option", { name: "Country" }).click();
    await page.getByText("Singapore").waitFor();
    await page.getByRole("button", { name: /^Nothing else/ }).click();
    await page.getByRole("option", { name: "Channel" }).click();
    await page.getByText("E-mail", { exact: true }).filter({ visible: true }).first().waitFor();
    expect(new URL(page.url()).search).toContain("by=country");
    expect(await findAxeViolations(page)).toEqual([]);
    if (process.env.PICTURES !== undefined) {
      await page.screenshot({ path: `${process.env.PICTURES}/reports-${width}-${colors}.png`, fullPage: true });
    }
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download CSV" }).click(),
    ]);
    const lines = (await readFile(await file.path(), "utf8")).split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines.slice(1, 3).map((line) => line.split(",").slice(0, 6))).toEqual([
      ["", "email", "", "", "", "1"],
      ["", "voice", "SG", "", "", "1"],
    ]);
    await expectCalm(watched, app);
  });
});
