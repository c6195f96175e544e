/** What customers and their users write is text on every page of the console: nothing of it is an element, a style or a script. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { launchBrowser } from "../browser.ts";
import { expectCalm, openSignedIn } from "./console-page.ts";
import { settle } from "./routes.ts";

let app: TestApp;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const attack = "<img src=x onerror=alert(1)> style=x";

test("names, brands, metadata and addresses are shown as they were written", async () => {
  const account = await app.signUp();
  const { session } = account;
  const created = await app.rest("POST", "/api-keys", {
    session,
    body: { name: attack, mode: "test", scopes: ["*"] },
  });
  const started = await app.rest("POST", "/verify/start", {
    key: created.body.key,
    body: { channel: "email", recipient: "ada@example.com", brand: attack, metadata: { [attack]: attack } },
  });
  const id = started.body.verification_id;
  expect([created.status, started.status]).toEqual([201, 201]);
  await using watched = await openSignedIn(browser, app, "/keys", { account });
  const { page } = watched;
  const seen: string[] = [];
  for (const path of [
    "/keys",
    `/keys/${created.body.id}`,
    "/verifications",
    `/verifications/${id}`,
    "/events",
    "/inbox",
  ]) {
    await page.goto(`${app.url}/console${path}?mode=test`);
    await settle(page);
    seen.push(await page.locator("main").innerText());
    expect([path, await page.locator("main img").count()]).toEqual([path, 0]);
  }
  expect(seen.filter((text) => text.includes(attack)).length).toBeGreaterThan(2);

  const inbox = await fetch(`${app.url}/dev/inbox`, { headers: { "X-API-Key": created.body.key } });
  const [message] = JSON.parse(await inbox.text());
  await page.goto(`${app.url}/console/inbox/${message.id}?mode=test`);
  await page.getByRole("heading", { name: `Your ${attack} verification code`, exact: true }).waitFor();
  await page.getByText(`Your ${attack} code`, { exact: true }).first().waitFor();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  await expectCalm(watched, app);
});
