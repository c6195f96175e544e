/** The playground: every operation as a form, the lines that make the same call, and the answer. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser, screenshot, type WatchedPage } from "../browser.ts";
import { expectCalm, openSignedIn } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

/** A refusal over REST is the answer that was asked for, and a browser reports it on its console all the same: so does this page alone. */
function isAskedFor(fault: string): boolean {
  return /^error: Failed to load resource: the server responded with a status of 4\d\d/.test(fault);
}

async function expectCalmBut(watched: WatchedPage, refusals: number): Promise<void> {
  expect(watched.faults.filter(isAskedFor)).toHaveLength(refusals);
  await expectCalm({ ...watched, faults: watched.faults.filter((fault) => !isAskedFor(fault)) }, app);
}

async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole("button", { name: label }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function open(page: Page, title: string, group: string, width: number): Promise<void> {
  if (width < 768) {
    await choose(page, "Operation", `${group}: ${title}`);
  } else {
    await page.getByRole("navigation", { name: "Operations" }).getByRole("link", { name: title, exact: true }).click();
  }
  await page.getByRole("heading", { name: title, level: 2 }).waitFor();
}

const answerOf = (page: Page) => page.getByRole("region", { name: "answer", exact: true });

async function send(page: Page, status: number): Promise<string> {
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("status").getByText(String(status)).waitFor();
  return answerOf(page).innerText();
}

describe.each([390, 1280])("at %i px", (width) => {
  test("a code is started, checked and approved, and numbers and lists are asked for, by clicks", async () => {
    await using watched = await openSignedIn(browser, app, "/playground", { width });
    const { page } = watched;
    await choose(page, "channel", "email");
    await page.getByRole("textbox", { name: "recipient" }).fill("ada@example.com");
    expect(await send(page, 201)).toContain('"status": "pending"');
    await page.getByRole("button", { name: "Check the code" }).click();
    await page.waitForURL(`${app.url}/console/playground/CheckVerification`);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Check a code");
    expect(await page.getByRole("textbox", { name: "code (required)" }).inputValue()).toBe("000000");
    expect(await send(page, 200)).toContain('"status": "approved"');
    await open(page, "Look up a number", "Lookup", width);
    await page.getByRole("textbox", { name: "number (required)" }).fill("+6591234567");
    expect(await send(page, 200)).toContain('"country_code": "SG"');
    await open(page, "List verifications", "Verify", width);
    expect(await send(page, 200)).toContain('"status": "approved"');
    await choose(page, "Call with", "Your session (live mode)");
    expect(await send(page, 200)).toContain('"verifications": []');
    await page.goBack();
    await page.getByRole("heading", { name: "Look up a number", level: 2 }).waitFor();
    expect(await page.getByRole("textbox", { name: "number (required)" }).inputValue()).toBe("+6591234567");
    expect(await answerOf(page).innerText()).toContain('"country_code": "SG"');
    await expectCalm(watched, app);
  });

  test("a refusal is shown at its field, with its code and the page about it", async () => {
    await using watched = await openSignedIn(browser, app, "/playground/StartVerification", { width });
    const { page } = watched;
    await choose(page, "channel", "email");
    await page.getByRole("textbox", { name: "recipient" }).fill("nobody");
    expect(await send(page, 422)).toContain('"validation_error"');
    const recipient = page.getByRole("textbox", { name: "recipient" });
    expect(await recipient.getAttribute("aria-invalid")).toBe("true");
    const link = page.getByRole("link", { name: /validation_error/ });
    expect(await link.getAttribute("href")).toContain("/docs/errors#validation_error");
    expect(await findAxeViolations(page)).toEqual([]);
    // React Aria announces a finished button for seconds, also when it is gone.
    await page.locator("[data-live-announcer] [role=img]").first().waitFor({ state: "detached" });
    expect(await findAxeViolations(page)).toEqual([]);
    await screenshot(page, `playground-refusal-${width}`);
    await expectCalmBut(watched, 1);
  });
});

test("the steps of a fallback are given one by one, and a problem is shown at the field of its step", async () => {
  await using watched = await openSignedIn(browser, app, "/playground/StartVerification");
  const { page } = watched;
  await choose(page, "channel", "whatsapp");
  await page.getByRole("textbox", { name: "recipient" }).fill("+12125550140");
  await page.getByText(/^Optional fields/).click();
  await page.getByRole("button", { name: "Add to fallback" }).click();
  const step = page.getByRole("group", { name: "fallback 1" });
  await step.getByRole("button", { name: /channel/ }).click();
  await page.getByRole("option", { name: "email" }).click();
  await step.getByRole("textbox", { name: "recipient" }).fill("nobody");
  await send(page, 422);
  await step.locator(".field-error").waitFor();
  await step.getByRole("textbox", { name: "recipient" }).fill("ada@example.com");
  expect(await send(page, 201)).toContain('"status": "pending"');
  expect(await findAxeViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Remove fallback 1" }).click();
  await step.waitFor({ state: "detached" });
  await expectCalmBut(watched, 1);
});

test("WhatsApp cannot be chosen for a payment, neither for the start nor for a step, and the form says why", async () => {
  await using watched = await openSignedIn(browser, app, "/playground/StartVerification");
  const { page } = watched;
  const reason = page.getByText("WhatsApp is not for payments");
  const isOffered = async (button: Locator) => {
    await button.click();
    const option = page.getByRole("option", { name: "whatsapp", exact: true });
    await option.waitFor();
    const isDisabled = await option.getAttribute("aria-disabled");
    await page.keyboard.press("Escape");
    await option.waitFor({ state: "detached" });
    return isDisabled !== "true";
  };
  const channel = page.getByRole("button", { name: /channel/ }).first();
  expect(await isOffered(channel)).toBe(true);
  await page.getByText(/^Optional fields/).click();
  await page.getByRole("button", { name: "Add to fallback" }).click();
  const step = page.getByRole("group", { name: "fallback 1" });
  expect(await reason.count()).toBe(0);
  await page.getByRole("group", { name: "amount" }).getByRole("textbox", { name: "value" }).fill("249.90");
  expect(await reason.count()).toBe(2);
  expect(await isOffered(channel)).toBe(false);
  expect(await isOffered(step.getByRole("button", { name: /channel/ }))).toBe(false);
  expect(await findAxeViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Clear form" }).click();
  expect(await isOffered(channel)).toBe(true);
  await expectCalm(watched, app);
});

test("events are shown as they happen, until the stream is stopped", async () => {
  await using watched = await openSignedIn(browser, app, "/playground/StreamEvents");
  const { page } = watched;
  await page.getByRole("textbox", { name: "after" }).fill("start");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await answerOf(page).getByText('"type":"api_key.created"').waitFor();
  await page.getByRole("status").getByText("Receiving").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("status").getByText("ms").waitFor();
  await expectCalm({ ...watched, faults: watched.faults.filter((fault) => !fault.endsWith("ERR_ABORTED")) }, app);
});

test("what cannot be undone is confirmed, and what would end the session is not sent", async () => {
  const account = await app.signUp();
  const { body: key } = await app.rest("POST", "/api-keys", { session: account.session, body: { name: "Old" } });
  await using watched = await openSignedIn(browser, app, "/playground/RevokeApiKey", { account });
  const { page } = watched;
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("Is required").waitFor();
  await page.getByRole("textbox", { name: "id (required)" }).fill(String(key.id));
  await page.getByRole("button", { name: "Send", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke an API key?" });
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.waitFor({ state: "hidden" });
  expect(await answerOf(page).innerText()).toContain('"revoked": true');
  await open(page, "Delete the account", "Accounts and sessions", 1280);
  await page.getByText("Not sent from here").waitFor();
  expect(await page.getByRole("button", { name: "Send", exact: true }).count()).toBe(0);
  await page.getByRole("tab", { name: "gRPC" }).click();
  const command = page.getByRole("region", { name: "grpcurl command" });
  expect(await command.innerText()).toContain("byond.v1.AuthService/DeleteAccount");
  await expectCalm(watched, app);
});
