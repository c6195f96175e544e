import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { CodeMessage } from "../src/capabilities/channels/outgoing-message.ts";
import { renderMail } from "../src/capabilities/channels/texts/mails.ts";

/**
 * Takes screenshots of the mail in headless Chromium, in phone and desktop size, light and dark: `node scripts/render-mail.ts
 * [folder]`, by default `.cache/mail`. `CHROMIUM` is the path of the browser.
 */
const folder = resolve(process.argv[2] ?? ".cache/mail");
const chromium = process.env.CHROMIUM ?? "chromium";
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
const samples: Readonly<Record<string, CodeMessage>> = {
  plain,
  /** A name that gives no place to break the line. */
  unbroken: { ...plain, brand: "Donaudampfschifffahrtsgesellschaftskapita", autofillDomain: "dampf.example" },
  /** Everything as long as it may be. */
  long: {
    ...plain,
    code: "0123456789",
    brand: "Mühlenbräu & Söhne <Großhandel> GmbH KG",
    autofillDomain: "login.muehlenbraeu-grosshandel.example",
    expiresAt: new Date(now.getTime() + 3_600_000),
  },
};

const run = promisify(execFile);
const profile = await mkdtemp(join(tmpdir(), "byond-mail-"));
try {
  await mkdir(folder, { recursive: true });
  for (const [name, message] of Object.entries(samples)) {
    const html = join(folder, `${name}.html`);
    await writeFile(html, renderMail(message, now).html);
    for (const width of [390, 1_200]) {
      for (const scheme of ["light", "dark"]) {
        await takePicture(html, width, scheme, join(folder, `${name}-${width}-${scheme}.png`));
      }
    }
  }
} finally {
  await rm(profile, { recursive: true, force: true });
}
console.log(`Pictures are in ${folder}`);

/** Chromium's windows are at least 500 px wide, so the mail is shown in a frame of the wanted width. */
async function takePicture(html: string, width: number, scheme: string, picture: string): Promise<void> {
  const height = 640;
  const page = join(profile, "frame.html");
  await writeFile(
    page,
    `<!doctype html><style>:root { color-scheme: ${scheme} } body { margin: 0; background: #88a } iframe { border: 0; display: block }</style>
    <iframe src="${pathToFileURL(html)}" width="${width}" height="${height}"></iframe>`,
  );
  await run(chromium, [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    `--user-data-dir=${profile}`,
    `--window-size=${Math.max(width, 500)},${height}`,
    "--force-device-scale-factor=2",
    scheme === "dark" ? "--blink-settings=preferredColorScheme=0" : "--blink-settings=preferredColorScheme=1",
    `--screenshot=${picture}`,
    pathToFileURL(page).href,
  ]);
}
