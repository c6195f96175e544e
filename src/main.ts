#!/usr/bin/env node
/** The process: environment, signals and exit status. Beside it, only `embedded-postgres/` touches `process`. */
import { constants } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type App, type Config, createApp, parseConfig, standardCapabilities } from "./app.ts";
import { readEnvFile } from "./config/env-file.ts";
import { batchWrites, createLogger, writeWhileRead } from "./observe/log.ts";
import { firstStartBanner, startBanner } from "./process/banner.ts";
import { commandHelp, defaultCommand, help, parseCommandLine, withStart } from "./process/command-line.ts";
import { commandContext, commandsOf } from "./process/operator-commands.ts";
import { settingGroupsOf } from "./process/server-config.ts";
import { explainFailure } from "./process/start-failure.ts";
import { startedFields, startNotices, version } from "./process/start-report.ts";

// V8 allocates what an object literal makes among the old objects if what it made before lived long. The objects of a call start to be
// allocated so while the server warms up, and then nothing that they refer to is freed before a full collection: 9 KB a call.
setFlagsFromString("--no-allocation-site-pretenuring");

const print = writeWhileRead(process.stdout);
const log = batchWrites(writeWhileRead(process.stderr));
process.on("exit", log.flush);
const logger = createLogger(log.write);

const sameInterruptMs = 500;
const capabilities = standardCapabilities();

async function serve(config: Config): Promise<void> {
  let app: App | undefined;
  let stopping: Promise<void> | undefined;
  let interruptedAtMs: number | undefined;
  /** Ends the draining early when something that the server cannot run without has failed. */
  const failure = new AbortController();
  app = await createApp(config, { logger, capabilities, onFatal: (error) => void stop(error) });
  // Before the address is printed: whoever reads it may send a signal.
  process.on("SIGTERM", stop);
  process.on("SIGINT", interrupt);
  const { url, demoKey, inboxLink } = app;
  print(demoKey === undefined ? startBanner(url, inboxLink) : firstStartBanner(url, demoKey, inboxLink));
  logger.info("started", startedFields(config, capabilities, app));
  for (const { level, event, ...fields } of startNotices(config, capabilities)) {
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
    if (failed) {
      logger.error("stopping", { error: reason });
    } else {
      logger.info("stopping", { signal: reason });
    }
    await app?.drain(failure.signal);
    await app?.close();
    logger.info("stopped");
    process.exit(failed ? 1 : 0);
  }
}

const commands = commandsOf(capabilities);
const commandTable = withStart(commands);

async function run(config: Config, command: string, options: Readonly<Record<string, string>>): Promise<void> {
  if (command === defaultCommand) {
    return serve(config);
  }
  return commands
    .get(command)
    ?.run(commandContext(config, capabilities, { logger, options, input: process.stdin, write: print }));
}

// Node's diagnostic reports (`--report-on-fatalerror`) get shared, and would contain every secret of the environment.
process.report.excludeEnv = true;

let config: Config | undefined;
try {
  const asked = parseCommandLine(process.argv.slice(2), commandTable);
  if (asked.kind === "help") {
    const { command } = asked;
    const settings = settingGroupsOf(capabilities);
    print(command === undefined ? help(commandTable, settings) : commandHelp(command, commandTable));
  } else if (asked.kind === "version") {
    print(`${version}\n`);
  } else {
    config = parseConfig(process.env, await readEnvFile(".env"));
    // `pg` and MikroORM read these variables by themselves, each in its own way. `parseConfig` has already interpreted them.
    for (const variable of Object.keys(process.env).filter((candidate) => /^(PG|MIKRO_ORM_)/.test(candidate))) {
      delete process.env[variable];
    }
    await run(config, asked.command, asked.options);
  }
} catch (error) {
  log.write(`${explainFailure(error, config)}\n`);
  process.exitCode = 1;
}
