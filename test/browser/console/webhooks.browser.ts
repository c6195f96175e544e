/** The webhooks of the console, with a real endpoint: from the first one by clicks to its deletion. */
import type { Browser, Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start } from "../../capabilities/verify/verify-calls.ts";
import { type Received, Receiver } from "../../capabilities/webhooks/receiver.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, type OwnerWithKey, openSignedIn, rowOf, signUpWithKey } from "./console-page.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  const destinations = { webhookDestinations: { allowedNetworks: [], allowsLoopback: true } };
  [app, browser] = await Promise.all([startTestApp(destinations), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const badge = (page: Page, text: string) => page.locator("header .badge", { hasText: text });

async function act(page: Page, action: string): Promise<void> {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

/** The secret that the dialog shows, which is closed then. */
async function takeSecret(page: Page): Promise<string> {
  const secret = await page.getByRole("region", { name: "signing secret" }).innerText();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  return secret.trim();
}

const isSignedWith = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) !== undefined;

async function createWebhook({ account }: OwnerWithKey, body: object): Promise<string> {
  return (await app.rest("POST", "/webhooks", { session: account.session, body })).body.id;
}

describe.each([390, 1280])("at %i px", (width) => {
  test("an endpoint is created, tested, gets events, and one again; its secret is rotated; it is disabled and deleted", async () => {
    const receiver = await Receiver.start();
    const owner = await signUpWithKey(app);
    await using watched = await openSignedIn(browser, app, "/webhooks", { width, account: owner.account });
    const { page } = watched;
    await page.getByText("No webhooks yet").waitFor();
    await page.getByRole("button", { name: "Create webhook" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Create webhook" });
    await dialog.getByLabel("URL").fill("no address");
    await dialog.getByRole("button", { name: "Create webhook" }).click();
    await dialog.locator(".field-error").waitFor();
    await dialog.getByLabel("URL").fill(receiver.url);
    await dialog.getByLabel("Note").fill("Orders");
    await dialog.getByText("All types").click();
    await dialog.getByText("verification.started").click();
    await dialog.getByText("verification.approved").click();
    await dialog.getByRole("button", { name: "Create webhook" }).click();
    const first = await takeSecret(page);
    await page.getByRole("heading", { name: receiver.url, level: 1 }).waitFor();
    await page.getByText("verification.started, verification.approved").waitFor();
    expect(await page.content()).not.toContain(first);

    await page.getByRole("button", { name: "Send test event" }).click();
    await page.getByText("The endpoint answered with status 200").waitFor();
    expect(isSignedWith(first, await receiver.got(1))).toBe(true);

    await start(app, owner.key, `hook-${width}@webhooks.example`);
    await rowOf(page, "verification.started").getByText("Succeeded").waitFor();
    await page.getByRole("link", { name: "verification.started" }).click();
    const delivery = page.getByRole("dialog", { name: "Delivery" });
    await delivery.getByText("answer 2").waitFor();
    const address = page.url();
    await delivery.getByRole("button", { name: "Send again" }).click();
    await page.getByText("Sent again, as a new delivery").waitFor();
    expect((await receiver.got(3)).event).toEqual(receiver.received[1]?.event);
    await delivery.getByText("answer 3").waitFor();
    expect(page.url()).not.toBe(address);
    await page.keyboard.press("Escape");
    await delivery.waitFor({ state: "hidden" });
    await expect.poll(() => rowOf(page, "verification.started").count()).toBe(2);

    await act(page, "Rotate secret");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate secret" }).click();
    const second = await takeSecret(page);
    expect(second).not.toBe(first);
    await page.getByRole("button", { name: "Send test event" }).click();
    const tested = await receiver.got(4);
    expect([isSignedWith(first, tested), isSignedWith(second, tested)]).toEqual([true, true]);

    await act(page, "Edit");
    await page.getByRole("dialog").getByLabel("Note").fill("Refunds");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.locator(".fact", { hasText: "Note" }).getByText("Refunds").waitFor();
    await page.getByRole("dialog").waitFor({ state: "hidden" });

    await act(page, "Disable");
    await badge(page, "Disabled").waitFor();
    await act(page, "Enable");
    await badge(page, "Enabled").waitFor();
    await act(page, "Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete webhook" }).click();
    await page.waitForURL(`${app.url}/console/webhooks`);
    await page.getByText("No webhooks yet").waitFor();
    await expectCalm(watched, app);
  });
});

test("a failing endpoint is tested, and one that is gone is shown as disabled by the server, without a reload", async () => {
  const receiver = await Receiver.start();
  receiver.behaviour = 500;
  const owner = await signUpWithKey(app);
  const id = await createWebhook(owner, { url: receiver.url });
  await using watched = await openSignedIn(browser, app, `/webhooks/${id}`, { account: owner.account });
  const { page } = watched;
  await page.getByRole("button", { name: "Send test event" }).click();
  await page.getByText("The endpoint answered with status 500").waitFor();
  receiver.behaviour = 410;
  await start(app, owner.key, "gone@webhooks.example");
  await badge(page, "Disabled by the server").waitFor();
  receiver.behaviour = 200;
  await page.getByRole("button", { name: "Enable" }).click();
  await badge(page, "Enabled").waitFor();
  await expectCalm(watched, app);
});

test("the address of a delivery opens it, on whatever page of the list it is", async () => {
  const receiver = await Receiver.start();
  const owner = await signUpWithKey(app);
  const id = await createWebhook(owner, { url: receiver.url, events: ["verification.started"] });
  for (let number = 1; number <= 52; number += 1) {
    await start(app, owner.key, `paged-${number}@webhooks.example`);
  }
  await receiver.got(52);
  const session = owner.account.session;
  const list = await app.rest("GET", `/webhooks/${id}/deliveries?page_size=100`, { session });
  const oldest = list.body.deliveries.at(-1).id;
  await using watched = await openSignedIn(browser, app, `/webhooks/${id}/deliveries/${oldest}`, {
    account: owner.account,
  });
  const { page } = watched;
  await page.getByRole("dialog").getByText(oldest).waitFor();
  await page.goto(`${app.url}/console/webhooks/${id}/deliveries/whd_aaaaaaaaaaaaaaaaaaaaaa`);
  await page.getByText("This delivery is not in the list.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForURL(`${app.url}/console/webhooks/${id}`);
  await page.goto(`${app.url}/console/webhooks/whk_aaaaaaaaaaaaaaaaaaaaaa`);
  await page.getByRole("alert").getByText(/^req_/).waitFor();
  await expectCalm(watched, app);
});
