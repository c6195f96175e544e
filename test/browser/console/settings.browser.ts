/** The console's settings: of the workspace, the account, its password and its sessions. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
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

describe.each([390, 1280])("at %i px", (width) => {
  test("the workspace has another name and an allowlist that its keys are judged by, until it is taken away", async () => {
    const account = await app.signUp();
    const { body } = await app.rest("POST", "/api-keys", {
      session: account.session,
      body: { name: "Any", mode: "test" },
    });
    const lookup = async () => (await app.rest("GET", "/lookup?number=%2B6591234567", { key: body.key })).status;
    await using watched = await openSignedIn(browser, app, "/settings", { width, account });
    const { page } = watched;
    await page.getByText("Request limit", { exact: true }).waitFor();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Acme and daughters");
    await page.getByRole("button", { name: "Save name" }).click();
    await page.getByText("Name changed.").waitFor();
    await page.getByRole("textbox", { name: "IP allowlist" }).fill("203.0.113.7\nnonsense");
    await page.getByRole("button", { name: "Save allowlist" }).click();
    await page.getByText("Entry 2 must be an IPv4 or IPv6 address").waitFor();
    await page.getByRole("textbox", { name: "IP allowlist" }).fill("203.0.113.7");
    await page.getByRole("button", { name: "Save allowlist" }).click();
    await page.getByText("Allowlist changed.").waitFor();
    expect(await lookup()).toBe(403);
    await page.reload();
    await settle(page);
    expect(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue()).toBe("Acme and daughters");
    expect(await page.getByRole("textbox", { name: "IP allowlist" }).inputValue()).toBe("203.0.113.7");
    await page.getByRole("textbox", { name: "IP allowlist" }).fill("");
    await page.getByRole("button", { name: "Save allowlist" }).click();
    await page.getByText("Allowlist changed.").waitFor();
    expect(await lookup()).toBe(200);
    await expectCalm(watched, app);
  });

  test("the address is verified with the code of the mail", async () => {
    const account = await app.signUp();
    await using watched = await openSignedIn(browser, app, "/settings/account", { width, account });
    const { page } = watched;
    await page.getByText("Not verified", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Send code" }).click();
    await page.getByRole("textbox", { name: "Code" }).fill("00000000");
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("That code is not right.").waitFor();
    const { code } = await app.messageTo(account.email);
    await page.getByRole("textbox", { name: "Code" }).fill(String(code));
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("Your address is verified.").waitFor();
    await page.getByText("Verified", { exact: true }).waitFor();
    await expectCalm(watched, app);
  });

  test("a changed password ends all other sessions, and the page goes on with a new one", async () => {
    const account = await app.signUp();
    await using watched = await openSignedIn(browser, app, "/settings", { width, account });
    const { page } = watched;
    await page.getByRole("tab", { name: "Password and sessions" }).click();
    expect(new URL(page.url()).pathname).toBe("/console/settings/security");
    const change = async (current: string, next: string) => {
      await page.getByLabel("Current password").fill(current);
      await page.getByLabel("New password").fill(next);
      await page.getByRole("button", { name: "Change password" }).click();
    };
    await change("not the password", "another good horse");
    await page.getByRole("alert").getByText("invalid_password").waitFor();
    await change(password, "short");
    await page.getByText("must be 10 to 128 characters long", { exact: false }).waitFor();
    const loadedAgain = page.waitForResponse((response) => response.url().endsWith("/GetMe"));
    await change(password, "another good horse");
    await (await loadedAgain).finished();
    await page.getByText("All other sessions have ended.").waitFor();
    expect((await app.rest("GET", "/auth/me", { session: account.session })).status).toBe(401);
    await page.reload();
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    const signIn = await app.rest("POST", "/auth/sign-in", {
      body: { email: account.email, password: "another good horse" },
    });
    expect(signIn.status).toBe(200);

    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
    await page.waitForURL(/\/console\/sign-in/);
    expect((await app.rest("GET", "/auth/me", { session: signIn.body.access_token })).status).toBe(401);
    await expectCalm(watched, app);
  });

  test("an account is deleted with its password and its address, and nothing of it signs in again", async () => {
    const account = await app.signUp();
    await using watched = await openSignedIn(browser, app, "/settings/account", { width, account });
    const { page } = watched;
    await page.getByRole("button", { name: "Delete account" }).click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Delete account" });
    await dialog.getByLabel("Password").fill("not the password");
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel("to confirm").fill(account.email);
    await confirm.click();
    await dialog.getByText("invalid_password").waitFor();
    expect((await app.rest("GET", "/auth/me", { session: account.session })).status).toBe(200);
    await dialog.getByLabel("Password").fill(password);
    await confirm.click();
    await page.waitForURL(/\/console\/sign-in/);
    expect((await app.rest("GET", "/auth/me", { session: account.session })).status).toBe(401);
    await expectCalm(watched, app);
  });
});

test("the browser's back goes to the tab before, and an unknown tab is not found", async () => {
  await using watched = await openSignedIn(browser, app, "/settings");
  const { page } = watched;
  await page.getByRole("tab", { name: "Account" }).click();
  await page.getByText("User id").waitFor();
  await page.goBack();
  await page.getByText("Request limit").waitFor();
  expect(new URL(page.url()).pathname).toBe("/console/settings");
  await page.goto(`${app.url}/console/settings/nothing`);
  await page.getByText("There is no page at this address").waitFor();
  await expectCalm(watched, app);
});
