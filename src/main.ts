#!/usr/bin/env node
/** The process: environment, signals and exit status. Beside it, only `embedded-postgres/` touches `process`. */
import { type ChildProcess, fork } from "node:child_process";
import { constants } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type App, type Config, createApp, parseConfig, standardCapabilities } from "./app.ts";
import { ConfigError } from "./config/config-error.ts";
import { type EnvFile, readEnvFile } from "./config/env-file.ts";
import { embeddedPostgresAt } from "./database/provide-postgres.ts";
import { batchWrites, createLogger, type Logger, untilRead, writeWhileRead } from "./observe/log.ts";
import { firstStartBanner, startBanner } from "./process/banner.ts";
import { commandHelp, defaultCommand, help, parseCommandLine, withStart } from "./process/command-line.ts";
import { commandContext, commandsOf } from "./process/operator-commands.ts";
import { settingGroupsOf } from "./process/server-config.ts";
import { explainFailure } from "./process/start-failure.ts";
import { startedFields, startNotices, version } from "./process/start-report.ts";
import { startWorkers } from "./process/start-workers.ts";
import type { ToWorker } from "./workers/messages.ts";
import { WorkerChannel } from "./workers/worker-channel.ts";

/** How the primary names a worker on its command line, with its number, so that a list of processes shows which is which. */
const workerOption = "--worker";
const workerNumber =
  process.send !== undefined && process.argv[2] === workerOption ? Number(process.argv[3] ?? Number.NaN) : undefined;

// V8 allocates what an object literal makes among the old objects if what it made before lived long. The objects of a call start to be
// allocated so while the server warms up, and then nothing that they refer to is freed before a full collection: 9 KB a call.
setFlagsFromString("--no-allocation-site-pretenuring");

const print = writeWhileRead(process.stdout);
const log = batchWrites(writeWhileRead(process.stderr));
process.on("exit", log.flush);

const createOwnLogger = ({ log: settings }: Config): Logger =>
  createLogger(log.write, workerNumber === undefined ? null : { worker: workerNumber }, settings);

/** How long a process that has nothing else to do waits for whoever reads its log. */
const lastLinesMs = 3_000;

async function exit(status?: number): Promise<never> {
  log.flush();
  await untilRead(process.stderr, lastLinesMs);
  return end(status);
}

/** Whether a file is being read, which takes for ever if a network file system does not answer. */
const isReading = () => process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq"));

/**
 * Ends this process. Node's exit joins the threads that read files, and hangs with them. Another program in place of this one ends them, and
 * keeps the status, which SIGKILL does not; nor does the kernel let the first process of a container kill itself.
 */
function end(status?: number): never {
  if (process.platform !== "win32" && isReading()) {
    // After all others: they would not be called any more.
    process.on("exit", (code) => {
      const { execPath } = process;
      process.execve?.(execPath, [execPath, "-e", `process.exit(${code})`], { ...process.env, NODE_OPTIONS: "" });
    });
  }
  process.exit(status);
}

const sameInterruptMs = 500;
const capabilities = standardCapabilities();

/** What a configuration is read from. */
interface ConfigSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly envFile: EnvFile | undefined;
}

async function serve(config: Config, source: ConfigSource): Promise<void> {
  const logger = createOwnLogger(config);
  let stopping: Promise<void> | undefined;
  let interruptedAtMs: number | undefined;
  /** Whether SIGHUP came before there was something to read again. */
  let isReloadWanted = false;
  /** Ends the draining early when something that the server cannot run without has failed. */
  const failure = new AbortController();
  const onFatal = (error: Error) => void stop(error);
  const starting =
    config.workers === 1
      ? createApp(config, { logger, capabilities, onFatal })
      : startWorkers(config, { ...source, logger, onFatal, fork: forkWorker, write: log.write });
  let app: Awaited<typeof starting> | undefined;
  // Before the start is over: it may wait for migrations, and the kernel ignores what the first process of a container does not handle.
  process.on("SIGTERM", stop);
  process.on("SIGINT", interrupt);
  // What a service manager sends to have files read again. Otherwise it is a terminal that was closed.
  process.on("SIGHUP", config.tls === undefined ? stop : reload);
  app = await starting;
  const { url, demoKey } = app;
  if (isReloadWanted) {
    reload();
  }
  print(demoKey === undefined ? startBanner(url, app) : firstStartBanner(url, demoKey, app));
  logger.info("started", startedFields(config, capabilities, app));
  for (const { level, event, ...fields } of startNotices(config, capabilities)) {
    logger[level](event, fields);
  }

  /** A second Ctrl-C ends the process at once. Below npm the first one arrives twice: from the terminal, and from npm. */
  function interrupt(): void {
    const nowMs = performance.now();
    interruptedAtMs ??= nowMs;
    if (nowMs - interruptedAtMs > sameInterruptMs) {
      end(128 + constants.signals.SIGINT);
    }
    void stop("SIGINT");
  }
  function reload(): void {
    isReloadWanted = true;
    void app?.reloadCertificate?.();
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
    await exit(failed ? 1 : 0);
  }
}

/** What a worker inherits of the environment: what Node and its libraries read. The settings, and their secrets, come over its channel. */
const inherited =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|TZDIR|LANG|LANGUAGE|LC_\w+|LD_\w+|DYLD_\w+|NIX_\w+|NSS_\w+|NODE_\w+|UV_\w+|MALLOC_\w+|SSL_CERT_\w+|OPENSSL_\w+|(https?|no|all)_proxy)$/i;

const workers = new Set<ChildProcess>();
// They end by themselves when this process does, but not if they are stopped or never return to their event loop.
process.on("exit", () => {
  for (const worker of workers) {
    worker.kill("SIGKILL");
  }
});

function forkWorker(number: number): ChildProcess {
  const worker = fork(import.meta.filename, [workerOption, String(number)], {
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  workers.add(worker);
  worker.once("exit", () => workers.delete(worker));
  return worker;
}

/**
 * One of several processes of a server. It does what the primary says, and ends with it. A terminal and a process manager send their signals
 * to all processes, and the primary decides what follows: here they are ignored.
 */
async function work(): Promise<void> {
  process.on("SIGTERM", () => undefined);
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  const channel = new WorkerChannel((message) => process.send?.(message, undefined, undefined, () => undefined));
  process.on("message", (message: ToWorker, socket) => channel.receive(message, socket));
  process.once("disconnect", () => process.exit(1));
  let app: App | undefined;
  let config: Config | undefined;
  void channel.closing.then(async () => {
    await app?.close();
    await exit();
  });
  try {
    const { environment, envFile, postgresUrl } = await channel.assignment;
    config = parseConfig(environment, envFile);
    app = await createApp(config, {
      logger: createOwnLogger(config),
      capabilities,
      // What is fatal is the embedded PostgreSQL, and the primary has that.
      onFatal: () => undefined,
      postgres: postgresUrl === undefined ? undefined : await embeddedPostgresAt(postgresUrl),
      siblings: channel,
    });
  } catch (error) {
    process.send?.(channel.failure(explainFailure(error, config)), () => process.exit(1));
    return;
  }
  void channel.draining.then(() => app?.drain());
  const { url, demoKey, consoleLink, inboxLink, databaseSecurity, secretIds } = app;
  channel.started({ url, demoKey, consoleLink, inboxLink, databaseSecurity, secretIds });
}

const commands = commandsOf(capabilities);
const commandTable = withStart(commands);

async function run(
  config: Config,
  source: ConfigSource,
  { command, options }: { readonly command: string; readonly options: Readonly<Record<string, string>> },
): Promise<void> {
  if (command === defaultCommand) {
    return serve(config, source);
  }
  const { environment } = source;
  return commands.get(command)?.run(
    commandContext(config, capabilities, {
      logger: createOwnLogger(config),
      options,
      input: process.stdin,
      environment,
      write: print,
      output: process.stdout,
      terminal: process.stderr,
    }),
  );
}

// Node's diagnostic reports (`--report-on-fatalerror`) get shared, and would contain every secret of the environment.
process.report.excludeEnv = true;

let config: Config | undefined;
try {
  const asked = workerNumber === undefined ? parseCommandLine(process.argv.slice(2), commandTable) : undefined;
  if (asked === undefined) {
    await work();
  } else if (asked.kind === "help") {
    const { command } = asked;
    const settings = settingGroupsOf(capabilities);
    print(command === undefined ? help(commandTable, settings) : commandHelp(command, commandTable));
  } else if (asked.kind === "version") {
    print(`${version}\n`);
  } else {
    const environment = { ...process.env };
    let source: ConfigSource | undefined;
    try {
      source = { environment, envFile: await readEnvFile(".env") };
      config = parseConfig(environment, source.envFile);
    } catch (error) {
      const { command, options } = asked;
      const runWithoutSettings = commands.get(command)?.runWithoutSettings;
      if (!(error instanceof ConfigError) || runWithoutSettings === undefined) {
        throw error;
      }
      runWithoutSettings(error.problems, { options, write: print });
    }
    // `pg` and MikroORM read these variables by themselves, each in its own way. `parseConfig` has already interpreted them.
    for (const variable of Object.keys(process.env).filter((candidate) => /^(PG|MIKRO_ORM_)/.test(candidate))) {
      delete process.env[variable];
    }
    if (source !== undefined && config !== undefined) {
      await run(config, source, asked);
    }
  }
} catch (error) {
  log.write(`${explainFailure(error, config)}\n`);
  process.exitCode = 1;
  if (isReading()) {
    await exit(1);
  }
}
