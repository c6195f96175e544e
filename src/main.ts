/** The process: environment, signals and exit status. The only file that touches `process`. */
import { type App, createApp } from "./app.ts";
import { CommandError, runCreateAccount } from "./auth/create-account-command.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { EmbeddedPostgresError } from "./database/embedded/error.ts";
import { firstStartBanner, startBanner } from "./first-start.ts";
import { createLogger, describeError } from "./log.ts";

const logger = createLogger(
  (line) => process.stderr.write(line),
  () => new Date(),
);

async function serve(): Promise<void> {
  const config = parseConfig(process.env);
  let app: App | undefined;
  let stopping: Promise<void> | undefined;
  app = await createApp(config, { logger, onFatal: (error) => void stop(error) });
  process.stdout.write(app.demoKey === undefined ? startBanner(app.url) : firstStartBanner(app.url, app.demoKey));

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
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

async function createAccount(args: readonly string[]): Promise<void> {
  await runCreateAccount({
    config: parseConfig(process.env),
    logger,
    args,
    input: process.stdin,
    write: (text) => process.stdout.write(text),
  });
}

/** What the operator can mend is told in a sentence; everything else comes with its stack. */
function explain(error: unknown): string {
  const isPlain =
    error instanceof ConfigError || error instanceof CommandError || error instanceof EmbeddedPostgresError;
  return isPlain ? error.message : JSON.stringify(describeError(error), undefined, 2);
}

const [command, ...args] = process.argv.slice(2);
try {
  await (command === "create-account" ? createAccount(args) : serve());
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
