import type { ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../clock.ts";
import type { EnvFile } from "../config/env-file.ts";
import { withSettingFiles } from "../config/setting-files.ts";
import type { ConnectionSecurity } from "../database/connection.ts";
import { providePostgres } from "../database/provide-postgres.ts";
import type { Logger } from "../observe/log.ts";
import { CertificateWatch } from "../server/certificate-watch.ts";
import { WorkerPool } from "../workers/worker-pool.ts";
import { ResourceStack } from "./resource-stack.ts";
import type { ServerConfig } from "./server-config.ts";

export interface StartWorkersOptions {
  readonly logger: Logger;
  /** Something that the server cannot do without has ended. */
  readonly onFatal: (reason: Error) => void;
  /** What the configuration was read from. Workers read it from the same. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly envFile: EnvFile | undefined;
  /** See `WorkerPoolOptions`. */
  readonly fork: (number: number) => ChildProcess;
  readonly write: (lines: string) => void;
}

/** A running server of several processes, with what `App` has. */
export interface Workers {
  readonly url: string;
  readonly demoKey: string | undefined;
  readonly consoleLink: string | undefined;
  readonly inboxLink: string | undefined;
  readonly databaseSecurity: ConnectionSecurity;
  readonly secretIds: readonly string[];
  readonly reloadCertificate: (() => Promise<void>) | undefined;
  drain(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** For all of closing, and of it what the workers leave for the embedded PostgreSQL. */
const shutdownMs = 10_000;
const closeReserveMs = 500;

/**
 * Starts a server of `config.workers` processes: the embedded PostgreSQL, which stays with this process, then the workers. Throws what makes a
 * server of one process fail to start, as `WorkerStartError` where a worker has found it. See `App` for `drain` and `close`.
 */
export async function startWorkers(config: ServerConfig, options: StartWorkersOptions): Promise<Workers> {
  const { logger, envFile, fork, write } = options;
  const environment = withSettingFiles(options.environment, config.settingFiles);
  const resources = new ResourceStack(logger);
  try {
    // What is wrong with it is found before anything is changed. Workers get it from here: one that replaces another must not depend on
    // what is in the files by then.
    const certificate = config.tls && (await CertificateWatch.start({ files: config.tls, clock: systemClock, logger }));
    resources.add("certificate", () => certificate?.stop());
    const postgres = await providePostgres(config, options.onFatal);
    resources.add("embedded PostgreSQL", () => postgres.stop());
    const { pool, first } = await WorkerPool.start({
      assignment: { workers: config.workers, environment, envFile, postgresUrl: postgres.url },
      certificate,
      fork,
      logger,
      write,
    });
    resources.add("workers", (withinMs) => pool.close(Math.max(0, withinMs - closeReserveMs)));
    return {
      ...first,
      reloadCertificate: certificate && (() => certificate.reload()),
      async drain(signal) {
        pool.drain();
        await setTimeout(config.drainSeconds * 1_000, undefined, { ref: false, signal }).catch(() => undefined);
      },
      close: () => resources.close(shutdownMs),
    };
  } catch (error) {
    await resources.close(shutdownMs);
    throw error;
  }
}
