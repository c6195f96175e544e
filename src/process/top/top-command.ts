import { setTimeout as pause } from "node:timers/promises";
import { type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import type { ServerConfig } from "../server-config.ts";
import { fetchMetrics } from "./fetch-metrics.ts";
import { type Reading, topScreen } from "./top-screen.ts";

const intervalMs = 1_000;
const clearScreen = "\x1b[H\x1b[2J";

/** `byond top`: what servers do now, from their `/metrics`. Runs until it is interrupted. */
export const topCommand: OperatorCommand<ServerConfig> = {
  summary:
    "Shows what happens now: calls, refusals, deliveries and what waits, each second, from /metrics of the server on this machine. On a public server it needs METRICS_TOKEN.",
  options: {
    url: {
      value: "urls",
      meaning:
        "Servers whose metrics are added up, with commas between them. Default: the one on HOST and PORT. Behind a load balancer, name each.",
    },
    once: { meaning: "Prints the first second and ends." },
  },
  run: top,
};

async function top(command: Command<ServerConfig>): Promise<void> {
  const { options, settings, write, output } = command;
  const urls = options.url?.split(",") ?? [ownUrl(settings)];
  const wrong = urls.find((url) => !/^https?:\/\//i.test(url) || !URL.canParse(url));
  if (wrong !== undefined) {
    throw new CommandError("--url must be URLs that begin with http:// or https://, with commas between them.");
  }
  const isTerminal = Reflect.get(output, "isTTY") === true;
  let { reading: before } = await readAll(urls, settings.metricsToken);
  for (;;) {
    await pause(intervalMs);
    const { reading: now, failures } = await readAll(urls, settings.metricsToken);
    const time = new Date().toISOString().slice(11, 19);
    const title = `${time} UTC, ${urls.length === 1 ? urls[0] : `${urls.length - failures.length} of ${urls.length} servers`}`;
    const screen = [title, ...failures, topScreen(before, now), ""].join("\n");
    if (options.once !== undefined) {
      write(screen);
      return;
    }
    write(isTerminal ? clearScreen + screen : `${screen}\n`);
    before = now;
  }
}

/** Throws `CommandError` if no server can be read. */
async function readAll(
  urls: readonly string[],
  token: string | undefined,
): Promise<{ readonly reading: Reading; readonly failures: readonly string[] }> {
  const read = await Promise.allSettled(urls.map((url) => fetchMetrics(url, token)));
  const failures = read.flatMap((each, index) =>
    each.status === "fulfilled" ? [] : [`${urls[index]} cannot be read: ${reasonOf(each.reason)}`],
  );
  if (failures.length === urls.length) {
    throw new CommandError(`${failures.join("\n")}.`);
  }
  const samples = read.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  return { reading: { samples, atMs: performance.now() }, failures };
}

function reasonOf(error: unknown): string {
  return error instanceof AggregateError
    ? error.errors.map(reasonOf).join("; ")
    : error instanceof Error
      ? error.message
      : String(error);
}

function ownUrl({ host, port, tls }: ServerConfig): string {
  if (port === 0) {
    throw new CommandError("PORT is 0: name the server with --url.");
  }
  // A server that listens on all addresses listens on loopback too.
  const own = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${tls === undefined ? "http" : "https"}://${own.includes(":") ? `[${own}]` : own}:${port}`;
}
