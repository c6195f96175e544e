/** The pages of the console, for tests and for `scripts/console-pictures.ts`. */
import type { Page } from "playwright-core";

/** The sizes and colours that everything is looked at in. */
export const looks = [
  { name: "desk-light", width: 1280, colors: "light" },
  { name: "desk-dark", width: 1280, colors: "dark" },
  { name: "phone-light", width: 390, colors: "light" },
  { name: "phone-dark", width: 390, colors: "dark" },
] as const;

/** Pages that anybody may see. */
export const openRoutes = ["/sign-in", "/sign-up", "/reset-password"] as const;

/** Pages of somebody who is signed in. A page that is added is added here: it is then checked by axe, and photographed. */
export const routes = [
  "/",
  "/keys",
  "/keys/new",
  "/verifications",
  "/reports",
  "/suppressions",
  "/guard",
  "/guard/blocks",
  "/guard/safe-list",
  "/guard/report",
  "/fixed-codes",
  "/templates",
  "/templates/new",
  "/lookup",
  "/lookup/list",
  "/lookup/email",
  "/lookup/history",
  "/playground",
  "/usage",
  "/inbox",
  "/events",
  "/webhooks",
  "/settings",
  "/settings/account",
  "/settings/security",
  "/nowhere",
] as const;

/** Waits until the page has loaded what it shows. */
export async function settle(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.locator(".skeleton, .page-loading").first().waitFor({ state: "detached" });
  await page.evaluate("document.fonts.ready.then(() => undefined)");
}

/** Signs in on the page that asks for it. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}
