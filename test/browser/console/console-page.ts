/** Pages of the console for tests: of somebody who is signed in, or of nobody. */
import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { password, type SignedUp, type TestApp } from "../../support/app.ts";
import { openPage, overflowOf, type PageOptions, type WatchedPage } from "../browser.ts";
import { settle, signIn } from "./routes.ts";

/** Opens a page of the console for nobody. */
export async function openConsole(
  browser: Browser,
  app: TestApp,
  path: string,
  options: PageOptions = {},
): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  await watched.page.goto(`${app.url}/console${path}`);
  await settle(watched.page);
  return watched;
}

/** Opens a page of the console for an account, or for a new one. */
export async function openSignedIn(
  browser: Browser,
  app: TestApp,
  path: string,
  options: PageOptions & { readonly account?: Pick<SignedUp, "email"> } = {},
): Promise<WatchedPage> {
  const { email } = options.account ?? (await app.signUp());
  const watched = await openConsole(browser, app, `/sign-in?next=${encodeURIComponent(path)}`, options);
  const { page } = watched;
  await signIn(page, email, password);
  await page.waitForURL((url) => url.pathname + url.search === `/console${path}`);
  await settle(page);
  return watched;
}

/** Nothing went wrong in the browser, nothing was asked of another host, and nothing is wider than the window. */
export async function expectCalm({ page, faults, requests }: WatchedPage, app: TestApp): Promise<void> {
  // Streams and calls end when their page is left.
  expect(faults.filter((fault) => !fault.endsWith(": net::ERR_ABORTED"))).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(`${app.url}/`) && !url.startsWith("data:"))).toEqual([]);
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
}

/** An account with a key, as a page and a caller need them. */
export interface OwnerWithKey {
  readonly account: SignedUp;
  readonly key: string;
  readonly keyId: string;
}

export async function signUpWithKey(app: TestApp, mode: "live" | "test" = "live"): Promise<OwnerWithKey> {
  const account = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session: account.session, body: { name: "Checkout", mode } });
  return { account, key: body.key, keyId: body.id };
}

/** The row of a table, or its card on a phone, that has this text. */
export function rowOf(page: Page, text: string): Locator {
  return page.locator("tbody tr, li.card").filter({ hasText: text });
}
