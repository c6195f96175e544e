import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where pictures of pages go, to be looked at. Not committed. */
const screenshotFolder = join(import.meta.dirname, "../../.cache/screenshots");

/**
 * Debian's builds of the same engine. That without windows needs a fifth of the processor's time for a page with a profile of its own, but
 * keeps no page that is left.
 */
const whole = "/usr/bin/chromium";
const withoutWindows = "/usr/bin/chromium-headless-shell";

/**
 * Starts Debian's Chromium, or the one that `CHROMIUM` names, without anything that it would do for itself. With `keepsPages` it keeps
 * pages that are left, and shows them again on "back", as browsers of users do. `fontSize` is what a user has chosen, in pixels.
 */
export async function launchBrowser({ keepsPages = false, fontSize = 16 } = {}): Promise<Browser> {
  const debians = !keepsPages && existsSync(withoutWindows) ? withoutWindows : whole;
  const executablePath = process.env.CHROMIUM ?? debians;
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no ${executablePath}: run "apt-get install chromium", or set CHROMIUM to the path of one.`,
    );
  }
  return chromium.launch({
    executablePath,
    ignoreDefaultArgs: keepsPages ? ["--disable-back-forward-cache"] : [],
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      `--blink-settings=defaultFontSize=${fontSize}`,
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: "light" | "dark";
  /** Without it, pages are what their HTML and CSS make of them. */
  readonly javaScript?: boolean;
}

/** A page, and what went wrong on it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings on the console, uncaught exceptions, and requests that failed. */
  readonly faults: readonly string[];
  /** The addresses of all requests. */
  readonly requests: readonly string[];
}

/** Opens a page in a profile of its own. Close it, or declare it with `await using`. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<WatchedPage> {
  const { width = 1280, height = 900, colors = "light", javaScript = true } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: colors,
    javaScriptEnabled: javaScript,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      faults.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("request", (request) => requests.push(request.url()));
  return { page, faults, requests, [Symbol.asyncDispose]: () => context.close() };
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  await page.screenshot({ path: join(screenshotFolder, `${name}.png`) });
}

/** By how many pixels a page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
}
