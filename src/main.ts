/** The process: environment, signals and exit status. Beside it, only `embedded-postgres/` touches `process`. */
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { type App, createApp } from "./app.ts";
import { runCreateAccount } from "./capabilities/accounts/create-account-command.ts";
import { runResetPassword } from "./capabilities/accounts/reset-password-command.ts";
import { runForgetSecret } from "./capabilities/verify/forget-secret-command.ts";
import { createLogger, describeError, writeWhileRead } from "./observe/log.ts";
import { type Command, CommandError } from "./process/command.ts";
import { type Config, parseConfig } from "./process/config.ts";
import { firstStartBanner, startBanner } from "./process/first-start.ts";
import { explainFailure } from "./process/start-failure.ts";
import { startNotices } from "./process/start-notices.ts";
import { startedFields } from "./process/started-line.ts";

const print = writeWhileRead(process.stdout);
const printError = writeWhileRead(process.stderr);
const logger = createLogger(printError, () => new Date());

const sameInterruptMs = 500;

async function serve(config: Config): Promise<void> {
  let app: App | undefined;
  let stopping: Promise<void> | undefined;
  let interruptedAtMs: number | undefined;
  /** Nothing is worth waiting for without what the server cannot do without. */
  const failure = new AbortController();
  app = await createApp(config, { logger, onFatal: (error) => void stop(error) });
  // Whoever reads that it listens may ask it to stop.
  process.on("SIGTERM", stop);
  process.on("SIGINT", interrupt);
  const { url, demoKey, inboxLink } = app;
  print(demoKey === undefined ? startBanner(url, inboxLink) : firstStartBanner(url, demoKey, inboxLink));
  logger.info("started", startedFields(config, app));
  for (const { level, event, ...fields } of startNotices(config)) {
    logger[level](event, fields);
  }

  /** A second Ctrl-C ends the process at once. Below npm the first one arrives twice: from the terminal, and from npm. */
  function interrupt(): void {
    const nowMs = performance.now();
    interruptedAtMs ??= nowMs;
    if (nowMs - interruptedAtMs > sameInterruptMs) {
      process.exit(128 + constants.signals.SIGINT);
    }
    void stop("SIGINT");
  }
  function stop(reason: NodeJS.Signals | Error): Promise<void> {
    if (reason instanceof Error) {
      failure.abort();
    }
    stopping ??= close(reason);
    return stopping;
  }
  async function close(reason: NodeJS.Signals | Error): Promise<void> {
    const failed = reason instanceof Error;
    logger[failed ? "error" : "info"]("stopping", failed ? { error: describeError(reason) } : { signal: reason });
    await app?.drain(failure.signal);
    await app?.close();
    logger.info("stopped");
    process.exit(failed ? 1 : 0);
  }
}

const commands: ReadonlyMap<string, (command: Command) => Promise<void>> = new Map([
  ["create-account", runCreateAccount],
  ["reset-password", runResetPassword],
  ["forget-secret", runForgetSecret],
]);

const usage = `Without an argument, the server starts. Commands: ${[...commands.keys()].join(", ")}. Settings come from the environment: README.md lists them.`;

async function run(config: Config, name: string | undefined, args: readonly string[]): Promise<void> {
  if (name === undefined) {
    return serve(config);
  }
  return commands.get(name)?.({ config, logger, args, input: process.stdin, write: print });
}

// Reports that Node writes where it is asked to (`--report-on-fatalerror`) are sent around, and would hold every secret.
process.report.excludeEnv = true;

const [name, ...args] = process.argv.slice(2);
let config: Config | undefined;
try {
  if (name !== undefined && !commands.has(name)) {
    // What follows an equals sign may be a secret.
    throw new CommandError(`Unknown argument "${name.split("=", 1)[0]}". ${usage}`);
  }
  config = parseConfig(process.env, existsSync(".env"));
  // `pg` and MikroORM would complete their settings with these, each in its own way; `parseConfig` has judged them.
  for (const variable of Object.keys(process.env).filter((candidate) => /^(PG|MIKRO_ORM_)/.test(candidate))) {
    delete process.env[variable];
  }
  await run(config, name, args);
} catch (error) {
  printError(`${explainFailure(error, config)}\n`);
  process.exitCode = 1;
}
