/** The usage and the balance of the console: what was used and spent, and caps that are set and removed. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkspace, pricedConfig } from "../../capabilities/balance/balance-fixture.ts";
import { check, startAndRead } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, rowOf } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(pricedConfig), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

async function picture(page: { screenshot(options: object): Promise<unknown> }, name: string) {
  if (process.env.PICTURES !== undefined) {
    await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: true });
  }
}

describe.each([
  { width: 390, colors: "light" },
  { width: 390, colors: "dark" },
  { width: 1280, colors: "light" },
  { width: 1280, colors: "dark" },
] as const)("at $width px, $colors", ({ width, colors }) => {
  test("usage is grouped by what was chosen, and the balance says what it cost", async () => {
    const account = await openWorkspace(app, 1_000);
    const { key, session } = account;
    await using watched = await openSignedIn(browser, app, "/usage", { width, colors, account });
    const { page } = watched;
    await page.getByText("Nothing was used in this period").waitFor();
    const recipient = `usage-${width}-${colors}@example.com`;
    expect((await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).status).toBe(201);
    expect((await app.rest("GET", "/lookup?number=%2B6591234567", { key })).status).toBe(200);
    const messages = async () => (await app.rest("GET", "/usage", { session })).body.groups[0]?.messages;
    await expect.poll(messages, { timeout: 20_000 }).toBe(1);
    await page.reload();
    await page.getByRole("button", { name: /^Day/ }).click();
    await page.getByRole("option", { name: "Country" }).click();
    await page.getByText("Singapore").waitFor();
    await page.getByRole("button", { name: /^Nothing else/ }).click();
    await page.getByRole("option", { name: "Channel" }).click();
    await page.getByText("E-mail", { exact: true }).filter({ visible: true }).first().waitFor();
    expect(new URL(page.url()).search).toContain("by=country");
    expect(await findAxeViolations(page)).toEqual([]);
    await picture(page, `usage-${width}-${colors}`);

    await page.getByRole("tab", { name: "Balance" }).click();
    await page.getByText("9.97 EUR").waitFor();
    await page.getByLabel("Cap", { exact: true }).fill("25.00");
    await page.getByRole("button", { name: "Set cap" }).click();
    await rowOf(page, "25.00").waitFor();
    await rowOf(page, "Top-up").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await picture(page, `balance-${width}-${colors}`);
    await page.getByRole("button", { name: "Remove the cap of The workspace" }).click();
    await page.getByText("No caps").waitFor();
    await expectCalm(watched, app);
  });

  test("the overview draws how far verifications came, and says what they cost, as the report does", async () => {
    const account = await openWorkspace(app, 1_000);
    const { key, session } = account;
    const started = [];
    for (const name of ["ada", "ben", "cleo", "dora"]) {
      started.push(await startAndRead(app, key, `${name}-${width}-${colors}@funnel.example`));
    }
    for (const { id, code } of started.slice(1)) {
      expect(await check(app, key, id, code)).toBe("approved");
    }
    const approved = async () =>
      (await app.rest("GET", "/reports/verifications", { session })).body.groups[0]?.approved;
    await expect.poll(approved, { timeout: 20_000 }).toBe(3);
    await using watched = await openSignedIn(browser, app, "/", { width, colors, account });
    const { page } = watched;
    const funnel = page.getByRole("table", { name: "Funnel" });
    await funnel.waitFor();
    expect(await funnel.innerText()).toMatch(
      /Started\s+4\s+100 %\s+Sent\s+4\s+100 %\s+Delivered\s+4\s+100 %\s+Approved\s+3\s+75 %/,
    );
    await page.getByText("Cost: 0.04 EUR").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await picture(page, `overview-${width}-${colors}`);
    await page.getByRole("link", { name: "By day, country, provider and key" }).click();
    await page.getByText("Cost, EUR").filter({ visible: true }).first().waitFor();
    await page.getByText("0.04", { exact: true }).filter({ visible: true }).first().waitFor();
    await picture(page, `report-with-cost-${width}-${colors}`);
    await expectCalm(watched, app);
  });
});

test("a server without prices says so", async () => {
  await using free = await startTestApp();
  await using watched = await openSignedIn(browser, free, "/usage/balance", { width: 1280 });
  await watched.page.getByText("This server has no prices").waitFor();
});
