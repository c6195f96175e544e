/** The pages of the console with something on them, their drawers and dialogs open: WCAG 2.2 AA, and nothing wider than the window. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check, start, startAndRead } from "../../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { findAxeViolations } from "../axe.ts";
import { launchBrowser, screenshot } from "../browser.ts";
import { expectCalm, type OwnerWithKey, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";
import { settle } from "./routes.ts";

let app: TestApp;
let browser: Browser;
let owner: OwnerWithKey;
let ids: { readonly verification: string; readonly webhook: string };

const longWord = `${"unbreakable".repeat(5)}.example`;

beforeAll(async () => {
  const destinations = { webhookDestinations: { allowedNetworks: [], allowsLoopback: true } };
  [app, browser] = await Promise.all([startTestApp(destinations, { sweepIntervalMs: 200 }), launchBrowser()]);
  owner = await signUpWithKey(app);
  const { key, account } = owner;
  // Nobody listens there: its deliveries fail.
  const webhook = { url: `http://127.0.0.1:9/${"path-".repeat(20)}`, description: "تسليم الطلبات 🚚" };
  const created = await app.rest("POST", "/webhooks", { session: account.session, body: webhook });
  const approved = await startAndRead(app, key, "approved@example.com", { locale: "ar" });
  await check(app, key, approved.id, approved.code);
  await start(app, key, "no address");
  await start(app, key, "+6591234567", { channel: "whatsapp" });
  const pending = await startAndRead(app, key, `ada@${longWord}`, {
    metadata: { كلمة: "x".repeat(120), order: "1042" },
  });
  ids = { verification: pending.id, webhook: created.body.id };
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

interface Filled {
  readonly name: string;
  readonly path: () => string;
  readonly open: (page: Page) => Promise<unknown>;
}

/** By how many pixels an open dialog is wider than it shows. */
const overflowOfDialog = (page: Page) =>
  page.evaluate<number>(
    "Math.max(0, ...[...document.querySelectorAll('.modal')].map((modal) => modal.scrollWidth - modal.clientWidth))",
  );

const dialog = (page: Page) => page.getByRole("dialog").waitFor();

const states: readonly Filled[] = [
  {
    name: "overview",
    path: () => "/",
    open: async (page) => {
      await page.getByText("As a table").click();
      await rowOf(page, "validation_error").waitFor();
    },
  },
  { name: "verifications", path: () => "/verifications", open: (page) => rowOf(page, longWord).waitFor() },
  {
    name: "verification",
    path: () => `/verifications/${ids.verification}`,
    open: (page) => page.getByText("verification.delivered").waitFor(),
  },
  {
    name: "resend",
    path: () => `/verifications/${ids.verification}`,
    open: async (page) => {
      await page.getByRole("button", { name: "Resend code" }).click();
      await dialog(page);
    },
  },
  {
    name: "cancel",
    path: () => `/verifications/${ids.verification}`,
    open: async (page) => {
      await page.getByRole("button", { name: "Cancel verification" }).click();
      await dialog(page);
    },
  },
  { name: "no verification", path: () => "/verifications/none", open: (page) => page.getByRole("alert").waitFor() },
  {
    name: "lookup",
    path: () => "/lookup",
    open: async (page) => {
      await page.getByLabel("Phone number").fill("+6591234567");
      await page.getByRole("button", { name: "Look up" }).click();
      await page.getByText("Valid", { exact: true }).waitFor();
    },
  },
  {
    name: "paste key",
    path: () => "/lookup",
    open: async (page) => {
      await page.getByRole("button", { name: "Use another key" }).click();
      await dialog(page);
    },
  },
  { name: "inbox", path: () => "/inbox", open: (page) => rowOf(page, longWord).waitFor() },
  {
    name: "mail",
    path: () => "/inbox",
    open: async (page) => {
      await page.getByRole("link", { name: "approved@example.com" }).click();
      await page.getByText("As plain text").click();
    },
  },
  {
    name: "whatsapp",
    path: () => "/inbox",
    open: async (page) => {
      await page.getByRole("link", { name: "+6591234567" }).click();
      await dialog(page);
    },
  },
  { name: "events", path: () => "/events", open: (page) => rowOf(page, "verification.approved").waitFor() },
  {
    name: "event",
    path: () => "/events",
    open: async (page) => {
      await page.getByRole("link", { name: "verification.approved" }).click();
      await page.getByRole("region", { name: "JSON of the event" }).waitFor();
    },
  },
  { name: "webhooks", path: () => "/webhooks", open: (page) => rowOf(page, "path-").waitFor() },
  {
    name: "create webhook",
    path: () => "/webhooks",
    open: async (page) => {
      await page.getByRole("button", { name: "Create webhook" }).click();
      await page.getByRole("dialog").getByText("All types").click();
      await page.getByRole("dialog").getByRole("button", { name: "Create webhook" }).click();
      await page.getByRole("dialog").locator(".field-error").first().waitFor();
    },
  },
  {
    name: "webhook",
    path: () => `/webhooks/${ids.webhook}`,
    open: async (page) => {
      await page.getByRole("button", { name: "Send test event" }).click();
      await page.getByText("The endpoint did not answer").waitFor();
      await page.getByRole("link", { name: "verification.approved" }).waitFor();
    },
  },
  {
    name: "delivery",
    path: () => `/webhooks/${ids.webhook}`,
    open: async (page) => {
      await page.getByRole("link", { name: "verification.approved" }).click();
      await dialog(page);
    },
  },
  {
    name: "rotate secret",
    path: () => `/webhooks/${ids.webhook}`,
    open: async (page) => {
      await page.getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem", { name: "Rotate secret" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Rotate secret" }).click();
      await page.getByRole("region", { name: "signing secret" }).waitFor();
    },
  },
];

// The narrowest window, and the widest, and both colours.
test.each([
  { width: 360, colors: "dark" },
  { width: 1600, colors: "light" },
] as const)("every page is clean with something on it at $width px, $colors", async ({ width, colors }) => {
  await using watched = await openSignedIn(browser, app, "/", { width, colors, account: owner.account });
  const { page } = watched;
  for (const { name, path, open } of states) {
    await page.goto(`${app.url}/console${path()}`);
    await settle(page);
    await open(page);
    expect(await findAxeViolations(page), name).toEqual([]);
    await expectCalm(watched, app);
    expect(await overflowOfDialog(page), name).toBe(0);
    await screenshot(page, `console-filled-${name.replaceAll(" ", "-")}-${colors}`);
  }
});
