/** The whole way of a newcomer, on a server as `npm start` runs it: from an empty data folder to an approved code, by clicks alone. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MainProcess, makeFolder } from "../../system/main-process.ts";
import { launchBrowser, openPage, overflowOf } from "../browser.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const recipient = "ada@example.com";
/** As verifications show it. */
const shownRecipient = "a•••@example.com";

test.each([390, 1280])("from the link of the banner to an approved code, at %i px", async (width) => {
  await using folder = await makeFolder();
  await using server = new MainProcess({ environment: { PORT: "0", DATA_DIR: folder.path, LOG_LEVEL: "warn" } });
  const url = await server.url();
  const [link = ""] = await server.wrote(/http\S+\/console\/enter\?token=\S+/);
  await using watched = await openPage(browser, { width });
  const { page } = watched;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);

  await page.goto(link);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  expect(new URL(page.url()).search).toBe("");

  await goTo(page, "Playground");
  await choose(page, "channel", "email");
  await page.getByRole("textbox", { name: "recipient" }).fill(recipient);
  await send(page, "201");

  await goTo(page, "Inbox");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  const row = page.locator("tbody tr, li.card").filter({ hasText: recipient });
  await row.getByRole("button", { name: "Copy code" }).click();
  await row.getByRole("button", { name: "Copied code" }).waitFor();
  const code = await page.evaluate<string>("navigator.clipboard.readText()");
  expect(code).toMatch(/^\d{6}$/);

  await goTo(page, "Playground");
  await page.getByRole("button", { name: "Check the code" }).click();
  await page.getByRole("heading", { name: "Check a code", level: 2 }).waitFor();
  await page.getByRole("textbox", { name: "code (required)" }).fill("");
  await page.keyboard.press("ControlOrMeta+v");
  await send(page, "200");
  await page.getByRole("region", { name: "answer", exact: true }).getByText('"approved"').waitFor();

  await goTo(page, "Verifications");
  const verification = page.locator("tbody tr, li.card").filter({ hasText: shownRecipient });
  await verification.getByText("Approved").waitFor();
  await verification.getByRole("link").click();
  await page.getByRole("heading", { name: shownRecipient, level: 1 }).waitFor();
  await page.getByRole("heading", { name: "Timeline" }).waitFor();
  for (const step of ["verification.started", "verification.approved"]) {
    await page.getByRole("link", { name: step }).waitFor();
  }

  expect(watched.faults.filter((fault) => !fault.endsWith(": net::ERR_ABORTED"))).toEqual([]);
  expect(watched.requests.filter((address) => !address.startsWith(`${url}/`) && !address.startsWith("data:"))).toEqual(
    [],
  );
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
});

async function goTo(page: Page, title: string): Promise<void> {
  const menu = page.getByRole("button", { name: "Navigation" });
  if (await menu.isVisible()) {
    await menu.click();
  }
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: title }).click();
  await page.getByRole("heading", { name: title, level: 1 }).waitFor();
}

async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole("button", { name: label }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function send(page: Page, status: string): Promise<void> {
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("status").getByText(status).waitFor();
}
