/**
 * Takes pictures of every mail in every language, at 390 and 1,200 px, light and dark, and puts them together on sheets:
 * `node scripts/mail-pictures.ts [name…]`, into `.cache/mail-pictures/`. With names: only the mails and languages of these names (`sandbox`,
 * `ar`). `CHROMIUM` is the path of the browser; it needs fonts of all scripts (Debian's `fonts-noto-core` and `fonts-noto-cjk`).
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { CodeMessage } from "../src/capabilities/channels/outgoing-message.ts";
import { languageTags } from "../src/capabilities/channels/texts/language-tags.ts";
import { renderMail } from "../src/capabilities/channels/texts/mails.ts";
import { renderAccountEnding, renderWebhookDisabled } from "../src/capabilities/channels/texts/server-mails.ts";
import { launchBrowser, openPage } from "../test/browser/browser.ts";

const folder = join(import.meta.dirname, "../.cache/mail-pictures");
const wanted = process.argv.slice(2);
const now = new Date("2026-03-01T12:00:00Z");

const plain: CodeMessage = {
  workspaceId: "ws_1",
  channel: "email",
  recipient: "jane@example.com",
  code: "493817",
  brand: "Acme",
  createdAt: now,
  expiresAt: new Date(now.getTime() + 300_000),
  mode: "live",
};

/** Mails with a code, which there are in every language. */
const inEveryLanguage: Readonly<Record<string, CodeMessage>> = {
  code: plain,
  sandbox: { ...plain, code: "000000", mode: "test", autofillDomain: "acme.example" },
  payment: {
    ...plain,
    brand: "Acme Bank",
    approval: { payee: "Müller Reisen GmbH & Co. KG", amount: { value: "1249.50", currency: "EUR" } },
  },
  reset: { ...plain, brand: "Byond", resetsPasswordAt: "https://byond.example.com" },
  /** Everything as long as it may be. */
  long: {
    ...plain,
    code: "0123456789",
    brand: "Mühlenbräu & Söhne <Großhandel> GmbH KG",
    autofillDomain: "login.muehlenbraeu-grosshandel.example",
    expiresAt: new Date(now.getTime() + 3_600_000),
  },
  /** A name that gives no place to break the line, and runs from right to left. */
  unbroken: { ...plain, brand: "مؤسسةالاتصالاتالسعوديةللتقنيةوالمعلومات" },
};

const url = "https://byond.example.com";
const ofServer = {
  "account-ending": renderAccountEnding({ endsAt: new Date("2026-03-02T12:00:00Z"), url }),
  "webhook-disabled": renderWebhookDisabled({
    id: "whk_3kTz9QpLm2Xv7RbN5YcW8d",
    endpointUrl: "https://hooks.acme.example/byond/verifications?tenant=4711",
    isGone: false,
    url,
  }),
};

interface Mail {
  readonly kind: string;
  readonly language: string;
  readonly html: string;
}

const mails: readonly Mail[] = [
  ...Object.entries(inEveryLanguage).flatMap(([kind, message]) =>
    languageTags.map((language) => ({ kind, language, html: renderMail({ ...message, locale: language }, now).html })),
  ),
  ...Object.entries(ofServer).map(([kind, { html }]) => ({ kind, language: "en", html })),
];

const looks = [
  { width: 390, colors: "light", columns: 4, rows: 2 },
  { width: 390, colors: "dark", columns: 4, rows: 2 },
  { width: 1_200, colors: "light", columns: 2, rows: 4 },
  { width: 1_200, colors: "dark", columns: 2, rows: 4 },
] as const;
type Look = (typeof looks)[number];

const sheetWidth = 1_600;

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await launchBrowser();
try {
  for (const look of looks) {
    await takePictures(browser, look);
  }
} finally {
  await browser.close();
}
console.log(`Pictures are in ${folder}`);

async function takePictures(browser: Browser, look: Look): Promise<void> {
  await using watched = await openPage(browser, { width: look.width, height: 400, colors: look.colors });
  const { page } = watched;
  const pictures = new Map<string, Buffer>();
  const isWanted = ({ kind, language }: Mail) =>
    wanted.length === 0 || wanted.includes(kind) || wanted.includes(language);
  for (const { kind, language, html } of mails.filter(isWanted)) {
    await page.setContent(html);
    const name = `${kind}-${language}-${look.width}-${look.colors}`;
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (tooWide > 0) {
      console.error(`${name}: ${tooWide} px wider than the window`);
    }
    const picture = await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    pictures.set(name, picture);
  }
  for (const fault of watched.faults) {
    console.error(`${look.width}-${look.colors}: ${fault}`);
  }
  await makeSheets(browser, look, pictures);
}

/** Sheets of pictures beside each other, small enough to be read on a screen. */
async function makeSheets(browser: Browser, look: Look, pictures: ReadonlyMap<string, Buffer>): Promise<void> {
  const names = [...pictures.keys()];
  const perSheet = look.columns * look.rows;
  await using watched = await openPage(browser, { width: sheetWidth, height: 400 });
  for (let first = 0; first < names.length; first += perSheet) {
    const figures = names.slice(first, first + perSheet).map(
      (name) => `<figure><figcaption>${name}</figcaption>
<img src="data:image/png;base64,${pictures.get(name)?.toString("base64")}"></figure>`,
    );
    await watched.page.setContent(`<!doctype html><style>
      body { margin: 0; padding: 8px; display: grid; grid-template-columns: repeat(${look.columns}, 1fr); gap: 8px; background: #99a; font: 14px sans-serif }
      figure { margin: 0 } img { width: 100%; display: block }
    </style>${figures.join("")}`);
    const number = String(first / perSheet + 1).padStart(2, "0");
    const sheet = await watched.page.screenshot({ fullPage: true });
    await writeFile(join(folder, `sheet-${look.width}-${look.colors}-${number}.png`), sheet);
  }
}
