/**
 * Takes pictures of every page of the console, and of what opens on it, light and dark, at 390 and 1280 px: `node scripts/console-pictures.ts [path…]`, into `.cache/pictures/`.
 * Starts a server with an empty data folder for it, and gives it something to show. `CHROMIUM` is the path of the browser.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage } from "../test/browser/browser.ts";
import buildConsole from "../test/browser/build-console.ts";
import { looks, openRoutes, routes, settle, signIn } from "../test/browser/console/routes.ts";
import { MainProcess } from "../test/system/main-process.ts";

const folder = join(import.meta.dirname, "../.cache/pictures");
const email = "ada@example.com";
const password = "correct horse battery";
const wanted = process.argv.slice(2);
const isWanted = (path: string) => wanted.length === 0 || wanted.includes(path);

await buildConsole();
/** Opens what the first row of a table leads to. */
const openFirstRow = async (page: Page) => {
  await page.locator(".row-link").first().click();
};

const lookUp = async (page: Page) => {
  await page.getByRole("button", { name: "Look up" }).click();
  await page.locator("[aria-live=polite] .panel").first().waitFor();
};

/** What is behind a click. In test mode there are more rows. */
const opened: readonly {
  readonly name: string;
  readonly path: string;
  readonly open: (page: Page) => Promise<void>;
}[] = [
  { name: "key", path: "/keys", open: openFirstRow },
  {
    name: "key-create",
    path: "/keys",
    open: (page) => page.getByRole("button", { name: "Create" }).first().click(),
  },
  { name: "verification", path: "/verifications", open: openFirstRow },
  { name: "message", path: "/inbox", open: openFirstRow },
  { name: "event", path: "/events", open: openFirstRow },
  { name: "webhook", path: "/webhooks", open: openFirstRow },
  {
    name: "webhook-create",
    path: "/webhooks",
    open: (page) => page.getByRole("button", { name: "Create webhook" }).click(),
  },
  {
    name: "webhook-actions",
    path: "/webhooks",
    open: async (page) => {
      await openFirstRow(page);
      await page.getByRole("button", { name: "More actions" }).click();
    },
  },
  {
    name: "search",
    path: "/",
    open: async (page) => {
      await page.keyboard.press("k");
      await page.getByRole("combobox", { name: "Search" }).fill("rate");
    },
  },
  { name: "test-mode", path: "/verifications?mode=test", open: async () => undefined },
  { name: "verification-fallback", path: "/verifications?mode=test", open: openFirstRow },
  { name: "suppressions-test", path: "/suppressions?mode=test", open: async () => undefined },
  {
    name: "lookup-number",
    path: "/lookup",
    open: async (page) => {
      await page.getByLabel("Phone number").fill("+12125550123");
      await lookUp(page);
    },
  },
  {
    name: "lookup-list",
    path: "/lookup/list",
    open: async (page) => {
      await page
        .getByLabel("Phone numbers")
        .fill("+6591234567\n65 9123 4567\n+1 212 555 0123\n+44 7400 123456\n12\n+6591234567");
      await page.getByLabel("Country").fill("SG");
      await lookUp(page);
    },
  },
  {
    name: "lookup-history",
    path: "/lookup/history?mode=test",
    open: (page) => page.locator("tbody tr, li.card").first().waitFor(),
  },
  {
    name: "lookup-email",
    path: "/lookup/email",
    open: async (page) => {
      await page.getByLabel("E-mail address").last().fill("info@gmial.com");
      await lookUp(page);
    },
  },
];

const dataDir = await mkdtemp(join(tmpdir(), "byond-pictures-"));
try {
  await mkdir(folder, { recursive: true });
  await using server = new MainProcess({
    environment: { PORT: "0", DATA_DIR: dataDir, SIGN_UP: "open", LOG_LEVEL: "warn", EMAIL_DNS: "off" },
  });
  const [, url = ""] = await server.wrote(/Byond is listening on (\S+)/);
  await fillWorkspace(url);
  const browser = await launchBrowser();
  try {
    for (const look of looks) {
      await takePictures(browser, url, look);
    }
  } finally {
    await browser.close();
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
console.log(`Pictures are in ${folder}`);

/** An account with keys, verifications and a webhook: calls of the API as a newcomer would make them. */
async function fillWorkspace(url: string): Promise<void> {
  const call = async (path: string, body: object, headers: Record<string, string> = {}, method = "POST") => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${text}`);
    }
    const answer: Readonly<Record<string, string>> = JSON.parse(text);
    return answer;
  };
  const { access_token: session } = await call("/auth/sign-up", { email, password, name: "Acme" });
  const asOwner = { Authorization: `Bearer ${session}` };
  const keys = [
    { name: "Checkout server" },
    { name: "Reports", scopes: ["reports", "events"] },
    { name: "Continuous integration", mode: "test" },
  ];
  const [live, , test] = await Promise.all(keys.map((key) => call("/api-keys", key, asOwner)));
  await call("/webhooks", { url: "https://example.com/hooks/byond", description: "Orders" }, asOwner);
  for (const { key = "" } of [live ?? {}, test ?? {}]) {
    for (const recipient of ["grace@example.com", "+6591234567", "edsger.dijkstra@example.org"]) {
      const channel = recipient.startsWith("+") ? "whatsapp" : "email";
      const asServer = { "X-API-Key": key };
      const { verification_id } = await call("/verify/start", { channel, recipient }, asServer);
      await call("/verify/check", { verification_id, code: "000000" }, asServer);
    }
  }
  await call("/workspace", { lookup_history: true }, asOwner, "PATCH");
  const asTest = { "X-API-Key": test?.key ?? "" };
  await call("/verify/start", { channel: "email", recipient: "undeliverable@example.com" }, asTest);
  const fallback = [
    { channel: "sms", after_seconds: 30 },
    { channel: "email", recipient: "ada@example.com" },
  ];
  await call("/verify/start", { channel: "whatsapp", recipient: "+12125550140", fallback }, asTest);
}

async function takePictures(browser: Browser, url: string, { name, width, colors }: (typeof looks)[number]) {
  await using watched = await openPage(browser, { width, colors });
  const { page } = watched;
  const take = async (path: string) => {
    await settle(page);
    const file = path.replace(/\W+/g, "-").replace(/^-|-$/g, "") || "overview";
    await page.screenshot({ path: join(folder, `${file}-${name}.png`), fullPage: true });
  };
  for (const path of openRoutes.filter(isWanted)) {
    await page.goto(`${url}/console${path}`);
    await take(path);
  }
  await page.goto(`${url}/console/sign-in`);
  await signIn(page, email, password);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  for (const path of routes.filter(isWanted)) {
    await page.goto(`${url}/console${path}`);
    await take(path);
  }
  for (const { name: what, path, open } of opened.filter((one) => isWanted(one.path))) {
    await page.goto(`${url}/console${path}`);
    await settle(page);
    await open(page);
    await settle(page);
    await page.screenshot({ path: join(folder, `${what}-${name}.png`), fullPage: true });
  }
  for (const fault of watched.faults.filter((text) => !text.endsWith(": net::ERR_ABORTED"))) {
    console.error(`${name}: ${fault}`);
  }
}
