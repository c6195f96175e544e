/** The process: environment, signals and exit status. The only file that touches `process`. */
import { type App, createApp } from "./app.ts";
import { runCreateAccount } from "./auth/create-account-command.ts";
import { type Config, parseConfig } from "./config.ts";
import { firstStartBanner, startBanner } from "./first-start.ts";
import { createLogger, describeError } from "./log.ts";
import { explainFailure } from "./start-failure.ts";
import { startNotices } from "./start-notices.ts";

const logger = createLogger(
  (line) => process.stderr.write(line),
  () => new Date(),
);

async function serve(config: Config): Promise<void> {
  let app: App | undefined;
  let stopping: Promise<void> | undefined;
  app = await createApp(config, { logger, onFatal: (error) => void stop(error) });
  // Whoever reads that it listens may ask it to stop.
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const { url, demoKey, inboxLink } = app;
  process.stdout.write(demoKey === undefined ? startBanner(url, inboxLink) : firstStartBanner(url, demoKey, inboxLink));
  for (const { level, event, ...fields } of startNotices(config)) {
    logger[level](event, fields);
  }

  function stop(reason: NodeJS.Signals | Error): Promise<void> {
    stopping ??= close(reason);
    return stopping;
  }
  async function close(reason: NodeJS.Signals | Error): Promise<void> {
    const failed = reason instanceof Error;
    logger[failed ? "error" : "info"]("stopping", failed ? { error: describeError(reason) } : { signal: reason });
    await app?.close();
    logger.info("stopped");
    process.exit(failed ? 1 : 0);
  }
}

async function createAccount(config: Config, args: readonly string[]): Promise<void> {
  await runCreateAccount({
    config,
    logger,
    args,
    input: process.stdin,
    write: (text) => process.stdout.write(text),
  });
}

const [command, ...args] = process.argv.slice(2);
let config: Config | undefined;
try {
  config = parseConfig(process.env);
  await (command === "create-account" ? createAccount(config, args) : serve(config));
} catch (error) {
  process.stderr.write(`${explainFailure(error, config)}\n`);
  process.exitCode = 1;
}
