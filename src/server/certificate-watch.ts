import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Logger } from "../observe/log.ts";
import { type CertificateFiles, readCertificate } from "./certificate.ts";
import { CertificateHolder, type CertificateSource, type PortCertificate } from "./certificate-source.ts";

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  /** How often the files are read. Default: every ten seconds. */
  readonly intervalMs?: number | undefined;
  /** How long after a change the files are read again: they must be the same by then. Default: a second. */
  readonly settleMs?: number | undefined;
  /** How long a read may take. Default: five seconds. */
  readonly deadlineMs?: number | undefined;
  /** Default: `readCertificate`. */
  readonly read?: typeof readCertificate | undefined;
}

/**
 * The certificate of two files, and what replaces it there. The files are read again and again: that finds what any kind of renewal does (a
 * file written in place, one renamed over it, a symbolic link turned to another folder, as in Kubernetes, a network file system), and costs
 * less than it takes to say why a notification of the kernel is missing.
 *
 * Certificate and key are two files, and may be seen while only one of them is new, or while one is written. What cannot be used changes
 * nothing: it is logged once, and looked at again. What can is taken over once two reads in a row have found it.
 */
export class CertificateWatch implements CertificateSource {
  readonly #options: CertificateWatchOptions;
  readonly #holder: CertificateHolder;
  readonly #timer: NodeJS.Timeout;
  /** What was logged of the files as they are. */
  #refused: string | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  readonly #read: () => Promise<PortCertificate>;

  private constructor(options: CertificateWatchOptions, read: () => Promise<PortCertificate>, first: PortCertificate) {
    this.#options = options;
    this.#read = read;
    this.#holder = new CertificateHolder(first);
    this.#timer = setInterval(() => void this.#look(), options.intervalMs ?? 10_000).unref();
  }

  /** Throws a `ConfigError` if the files cannot be used. One that has expired is served: to serve nothing helps nobody. */
  static async start(options: CertificateWatchOptions): Promise<CertificateWatch> {
    const read = readerInTime(options);
    return new CertificateWatch(options, read, await read());
  }

  get current(): PortCertificate {
    return this.#holder.current;
  }

  follow(take: (certificate: PortCertificate) => void): void {
    this.#holder.follow(take);
  }

  /** Reads the files now, and logs what is wrong with them even if that was logged before. */
  reload(): Promise<void> {
    this.#refused = undefined;
    return this.#look();
  }

  /** Waits for no read: one of a network file system may never return. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopping.abort();
  }

  /** One after the other, so that an older certificate never replaces a newer one. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#takeOver());
    return this.#looking;
  }

  async #takeOver(): Promise<void> {
    const { files, clock, logger } = this.#options;
    const { signal } = this.#stopping;
    try {
      const found = await this.#readSettled();
      if (isSame(found, this.#holder.current) || signal.aborted) {
        this.#refused = undefined;
        return;
      }
      const { validFromDate, validToDate, subjectAltName } = new X509Certificate(found.cert);
      const now = clock.now();
      if (validToDate <= now) {
        throw new ConfigError([`TLS_CERT: ${files.certPath} expired at ${validToDate.toISOString()}`]);
      }
      if (validFromDate > now) {
        throw new ConfigError([`TLS_CERT: ${files.certPath} is not valid before ${validFromDate.toISOString()}`]);
      }
      this.#holder.replace(found);
      this.#refused = undefined;
      logger.info("certificate_renewed", { names: subjectAltName, valid_until: validToDate.toISOString() });
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      const reason = error instanceof ConfigError ? error.problems.join("; ") : String(error);
      if (reason !== this.#refused) {
        this.#refused = reason;
        logger.warn("certificate_refused", { reason });
      }
    }
  }

  /** What is in use, or what two reads in a row have found. */
  async #readSettled(): Promise<PortCertificate> {
    const { settleMs = 1_000 } = this.#options;
    let found = await this.#read();
    for (let before = this.#holder.current; !isSame(found, before); ) {
      await sleep(settleMs, undefined, { ref: false, signal: this.#stopping.signal });
      before = found;
      found = await this.#read();
    }
    return found;
  }
}

function isSame(one: PortCertificate, other: PortCertificate): boolean {
  return one.cert === other.cert && one.key === other.key;
}

/**
 * Reads within the deadline, or throws a `ConfigError`. While a read has not returned there is no other: each holds one of the few threads of
 * the process that read files and resolve names.
 */
function readerInTime({ files, read = readCertificate, deadlineMs = 5_000 }: CertificateWatchOptions) {
  let reading: Promise<PortCertificate> | undefined;
  return async (): Promise<PortCertificate> => {
    reading ??= read(files).finally(() => {
      reading = undefined;
    });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const problem = `TLS_CERT and TLS_KEY: reading ${files.certPath} and ${files.keyPath} takes longer than ${deadlineMs} ms`;
      late.reject(new ConfigError([problem]));
    }, deadlineMs);
    try {
      return await Promise.race([reading, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
