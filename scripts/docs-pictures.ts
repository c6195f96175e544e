/**
 * Takes pictures of the pages of the reference, light and dark, at 390 and 1280 px: `node scripts/docs-pictures.ts [path…]`, into
 * `.cache/pictures/`. Without paths: every page of the navigation, its search, and its menu. `CHROMIUM` is the path of the browser.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchBrowser, openPage } from "../test/browser/browser.ts";
import { MainProcess } from "../test/system/main-process.ts";

const folder = join(import.meta.dirname, "../.cache/pictures");
const wanted = process.argv.slice(2);

const looks = [
  { name: "desk-light", width: 1280, colors: "light" },
  { name: "desk-dark", width: 1280, colors: "dark" },
  { name: "phone-light", width: 390, colors: "light" },
  { name: "phone-dark", width: 390, colors: "dark" },
] as const;

const dataDir = await mkdtemp(join(tmpdir(), "byond-pictures-"));
try {
  await mkdir(folder, { recursive: true });
  await using server = new MainProcess({ environment: { PORT: "0", DATA_DIR: dataDir, LOG_LEVEL: "warn" } });
  const url = await server.url();
  const browser = await launchBrowser();
  try {
    const paths = wanted.length > 0 ? wanted : await pathsOfMenu(url);
    for (const look of looks) {
      await takePictures(browser, url, paths, look);
    }
  } finally {
    await browser.close();
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
console.log(`Pictures are in ${folder}`);

async function pathsOfMenu(url: string): Promise<readonly string[]> {
  const html = await (await fetch(`${url}/docs`)).text();
  const [menu = ""] = /<nav id="menu".*?<\/nav>/s.exec(html) ?? [];
  return [...menu.matchAll(/href="(docs[^".]*)"/g)].map(([, path]) => `/${path}`);
}

async function takePictures(
  browser: Browser,
  url: string,
  paths: readonly string[],
  { name, width, colors }: (typeof looks)[number],
): Promise<void> {
  await using watched = await openPage(browser, { width, colors });
  const { page } = watched;
  for (const path of paths) {
    await page.goto(url + path, { waitUntil: "networkidle" });
    const file = `${path.slice(1).replace(/\W+/g, "-")}-${name}.png`;
    await page.screenshot({ path: join(folder, file), fullPage: !path.includes("#") });
  }
  if (wanted.length === 0) {
    await page.goto(`${url}/docs/api/verify`, { waitUntil: "networkidle" });
    await page.keyboard.press("/");
    await page.getByRole("combobox", { name: "Search" }).fill("rate");
    await page.getByRole("dialog").getByRole("option").first().waitFor();
    await page.screenshot({ path: join(folder, `docs-search-${name}.png`) });
    await page.keyboard.press("Escape");
    const menuButton = page.getByRole("button", { name: "Menu" });
    if (await menuButton.isVisible()) {
      await menuButton.click();
      await page.screenshot({ path: join(folder, `docs-menu-${name}.png`) });
    }
  }
  for (const fault of watched.faults) {
    console.error(`${name}: ${fault}`);
  }
}
