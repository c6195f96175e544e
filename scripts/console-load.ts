/**
 * Measures how the console loads: `node scripts/console-load.ts` prints the sizes of the first load, its requests, and when it can be read and used, with an
 * empty cache. Starts a server with an empty data folder, and follows the link of its banner to the overview. `CHROMIUM` is the path of the browser.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, CDPSession } from "playwright-core";
import { launchBrowser } from "../test/browser/browser.ts";
import buildConsole from "../test/browser/build-console.ts";
import { settle, signIn } from "../test/browser/console/routes.ts";
import { MainProcess } from "../test/system/main-process.ts";

interface Connection {
  readonly name: string;
  /** Undefined: as fast as this machine. */
  readonly throttled?: {
    readonly kilobitsPerSecond: number;
    readonly roundTripMs: number;
    readonly cpuSlowdown: number;
  };
}

/** The slow one is Lighthouse's phone. */
const connections: readonly Connection[] = [
  { name: "this machine" },
  { name: "1.6 Mbit/s, 150 ms, CPU 4×", throttled: { kilobitsPerSecond: 1_600, roundTripMs: 150, cpuSlowdown: 4 } },
];

/** The median is printed. */
const loads = 5;

const email = "ada@example.com";
const password = "correct horse battery";

/** A load of the overview by somebody who is signed in; times since the navigation began. */
interface Load {
  readonly requests: number;
  /** What came over the wire, headers included. */
  readonly bytes: number;
  readonly firstContentfulPaintMs: number;
  /** When the overview's heading and the navigation are there and nothing long keeps the page from answering. */
  readonly usableMs: number;
  /** When its figures are there. */
  readonly filledMs: number;
}

/** Runs in the page: `usable` is when heading and navigation were there and the page then came to answer. */
const watchUsable = `window.usable = new Promise((resolve) => {
  const look = () => {
    if (document.querySelector("main h1")?.textContent === "Overview" && document.querySelector("nav a[href$='/keys']")) {
      setTimeout(() => resolve(performance.now()));
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
})`;

await buildConsole();
const dataDir = await mkdtemp(join(tmpdir(), "byond-load-"));
try {
  await using server = new MainProcess({
    environment: { PORT: "0", DATA_DIR: dataDir, SIGN_UP: "open", LOG_LEVEL: "warn" },
  });
  const url = await server.url();
  await signUp(url);
  const browser = await launchBrowser();
  try {
    for (const connection of connections) {
      const measured: Load[] = [];
      for (let count = 0; count < loads; count += 1) {
        measured.push(await load(browser, url, connection));
      }
      print(connection.name, measured);
    }
  } finally {
    await browser.close();
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function signUp(url: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/auth/sign-up`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password, name: "Acme" }),
  });
  if (!response.ok) {
    throw new Error(await response.text());
  }
}

/** Loads the overview in a profile of its own, which has the session and nothing in its cache. */
async function load(browser: Browser, url: string, { throttled }: Connection): Promise<Load> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${url}/console/sign-in`);
    await signIn(page, email, password);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.goto("about:blank");
    const devTools = await context.newCDPSession(page);
    const traffic = await watchTraffic(devTools);
    if (throttled !== undefined) {
      const bytesPerSecond = (throttled.kilobitsPerSecond * 1_000) / 8;
      await devTools.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: throttled.roundTripMs,
        downloadThroughput: bytesPerSecond,
        uploadThroughput: bytesPerSecond,
      });
      await devTools.send("Emulation.setCPUThrottlingRate", { rate: throttled.cpuSlowdown });
    }
    await page.addInitScript(watchUsable);
    await page.goto(`${url}/console/`, { waitUntil: "commit" });
    await settle(page);
    const filledMs = await page.evaluate<number>("performance.now()");
    const [usableMs = 0, firstContentfulPaintMs = 0] = await page.evaluate<number[]>(
      "(async () => [await usable, performance.getEntriesByName('first-contentful-paint')[0].startTime])()",
    );
    return { ...traffic, usableMs, firstContentfulPaintMs, filledMs };
  } finally {
    await context.close();
  }
}

async function watchTraffic(devTools: CDPSession): Promise<{ requests: number; bytes: number }> {
  const traffic = { requests: 0, bytes: 0 };
  await devTools.send("Network.enable");
  await devTools.send("Network.clearBrowserCache");
  devTools.on("Network.requestWillBeSent", () => {
    traffic.requests += 1;
  });
  devTools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    traffic.bytes += encodedDataLength;
  });
  return traffic;
}

function print(name: string, measured: readonly Load[]): void {
  const median = (figure: (one: Load) => number) =>
    measured.map(figure).sort((one, other) => one - other)[Math.floor(measured.length / 2)] ?? Number.NaN;
  const milliseconds = (figure: (one: Load) => number) => `${Math.round(median(figure))} ms`;
  console.log(`\nOn ${name}, median of ${measured.length} loads:`);
  console.table({
    "requests until the figures are there": median(({ requests }) => requests),
    "KB over the wire": Math.round(median(({ bytes }) => bytes) / 102.4) / 10,
    "first contentful paint": milliseconds(({ firstContentfulPaintMs }) => firstContentfulPaintMs),
    "heading and navigation can be used": milliseconds(({ usableMs }) => usableMs),
    "the figures are there": milliseconds(({ filledMs }) => filledMs),
  });
}
