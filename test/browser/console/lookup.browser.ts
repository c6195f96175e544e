/** The lookup of the console, with the key that it makes for itself. */
import { text } from "node:stream/consumers";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SignedUp, startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  const config = { emailDns: { isOn: false, servers: [] } };
  [app, browser] = await Promise.all([startTestApp(config), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

async function lookUp(page: Page, number: string, country = ""): Promise<void> {
  await page.getByLabel("Phone number").fill(number);
  await page.getByLabel("Country").fill(country);
  await page.getByRole("button", { name: "Look up" }).click();
}

const fact = (page: Page, name: string) => page.locator(".fact", { hasText: name }).locator("dd");

/** The keys of the account that the console made, by whether they are revoked. */
async function madeKeys({ session }: SignedUp) {
  const { body } = await app.rest("GET", "/api-keys?include_revoked=true", { session });
  return body.keys.filter(({ name }: { readonly name: string }) => name === "Console playground");
}

describe.each([390, 1280])("at %i px", (width) => {
  test("a valid number, one that is not, and a request that is refused", async () => {
    await using watched = await openSignedIn(browser, app, "/lookup", { width });
    const { page } = watched;
    await page.getByText("No number looked up yet").waitFor();
    await lookUp(page, "+65 9123 4567");
    await page.getByText("Valid", { exact: true }).waitFor();
    expect(await fact(page, "E.164").innerText()).toBe("+6591234567");
    expect(await fact(page, "Country").innerText()).toBe("Singapore (SG)");
    expect(await fact(page, "Time zones").innerText()).toBe("Asia/Singapore");
    await page.getByRole("region", { name: "curl command" }).getByText("number=%2B65%209123%204567").waitFor();
    await lookUp(page, "12", "SG");
    await page.getByText("Too short", { exact: true }).waitFor();
    await page.getByRole("region", { name: "curl command" }).getByText("number=12&country=SG").waitFor();
    await lookUp(page, "91234567", "S");
    await page.locator(".field-error").waitFor();
    expect(page.url()).not.toContain("91234567");
    await expectCalm(watched, app);
  });

  test("a list that is pasted becomes a table in its order, a summary and a CSV file", async () => {
    await using watched = await openSignedIn(browser, app, "/lookup", { width });
    const { page } = watched;
    await page.getByRole("tab", { name: "List" }).click();
    await page.waitForURL(`${app.url}/console/lookup/list`);
    const list = page.getByLabel("Phone numbers");
    await list.fill(["+12125550123\n".repeat(1_001)].join(""));
    await page.getByRole("button", { name: "Look up" }).click();
    await page.locator(".field-error").waitFor();
    await list.fill(`+65 9123 4567\n\n12\n91234567\n=1+1\n${"9".repeat(251)}\n${"+12125550123\n".repeat(120)}`);
    await page.getByLabel("Country").fill("SG");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("heading", { name: "Summary" }).waitFor();
    expect(await fact(page, "Numbers").innerText()).toBe("125");
    expect(await fact(page, "Countries").innerText()).toMatch(/^US 120, SG \d/);
    await rowOf(page, "+65 9123 4567").getByText("Valid", { exact: true }).waitFor();
    await rowOf(page, "91234567").getByText("Duplicate").first().waitFor();
    await rowOf(page, "9".repeat(251)).getByText("number must be").waitFor();
    const rows = page.locator("tbody tr, li.card");
    expect(await rows.count()).toBe(100);
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Load more" }).click();
    await rows.nth(124).waitFor();
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download CSV" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("lookup.csv");
    const lines = (await text(await download.createReadStream())).split("\r\n");
    expect(lines).toHaveLength(127);
    expect(lines[1]).toMatch(/^\+65 9123 4567,\+6591234567,true,/);
    expect(lines[4]).toMatch(/^'=1\+1,,false,/);
    expect(page.url()).not.toContain("9123");
    await expectCalm(watched, app);
  });

  test("lookups are kept once the settings say so, and found by their number", async () => {
    await using watched = await openSignedIn(browser, app, "/lookup/history?mode=test", { width });
    const { page } = watched;
    await page.getByText("The workspace keeps no history of lookups.").waitFor();
    await page.getByRole("link", { name: "Keep a history, in the settings" }).click();
    const keeps = page.getByRole("switch", { name: "Keep a history of lookups" });
    await page.getByText("Keep a history of lookups").click();
    await expect.poll(() => keeps.isChecked()).toBe(true);
    expect(await findAxeViolations(page)).toEqual([]);
    await page.goto(`${app.url}/console/lookup?mode=test`);
    await lookUp(page, "+6591234567");
    await page.getByText("Valid", { exact: true }).waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    const row = rowOf(page, "+6591234567");
    await row.getByText("Singapore").waitFor();
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByRole("textbox", { name: "Number" }).fill("+6598765432");
    await page.keyboard.press("Enter");
    await page.getByText("No such lookups").waitFor();
    expect(page.url()).not.toContain("9876");
    await page.getByRole("textbox", { name: "Number" }).fill("+6591234567");
    await page.keyboard.press("Enter");
    await row.waitFor();
    await expectCalm(watched, app);
  });

  test("an e-mail address that was probably mistyped, and one that is none", async () => {
    await using watched = await openSignedIn(browser, app, "/lookup/email", { width });
    const { page } = watched;
    await page.getByLabel("E-mail address").last().fill("info@gmial.com");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("info@gmail.com", { exact: true }).waitFor();
    expect(await fact(page, "Belongs to a task").innerText()).toBe("Yes");
    expect(await findAxeViolations(page)).toEqual([]);
    await page.getByLabel("E-mail address").last().fill("nobody");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("No @", { exact: true }).waitFor();
    expect(page.url()).not.toContain("nobody");
    await expectCalm(watched, app);
  });
});

test("the key is made when it is first needed, made again after somebody revoked it, and revoked when the tab is left", async () => {
  const account = await app.signUp();
  await using watched = await openSignedIn(browser, app, "/lookup", { account });
  const { page } = watched;
  expect(await madeKeys(account)).toEqual([]);
  await lookUp(page, "+6591234567");
  await page.getByText("Valid", { exact: true }).waitFor();
  const [made] = await madeKeys(account);
  await app.rest("DELETE", `/api-keys/${made.id}`, { session: account.session });
  await lookUp(page, "+6598765432");
  await fact(page, "E.164").getByText("+6598765432").waitFor();
  await page.goto(`${app.url}/docs/errors`);
  await expect.poll(async () => (await madeKeys(account)).map(isRevoked)).toEqual([true, true]);
});

const isRevoked = ({ revoked_at: at }: { readonly revoked_at: string | null }) => at !== null;

test("a key that is pasted is used in place of one that is made, until it is forgotten", async () => {
  const { account, key } = await signUpWithKey(app, "test");
  await using watched = await openSignedIn(browser, app, "/lookup", { account });
  const { page } = watched;
  await page.getByRole("button", { name: "Use another key" }).click();
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use key" }).click();
  await page.getByText("Called with your key").waitFor();
  await lookUp(page, "+6591234567");
  await page.getByText("Valid", { exact: true }).waitFor();
  expect(await madeKeys(account)).toEqual([]);
  await page.getByRole("button", { name: "Forget key" }).click();
  await page.getByText("Calls are made with a sandbox key").waitFor();
  await expectCalm(watched, app);
});
