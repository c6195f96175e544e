import { X509Certificate } from "node:crypto";
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
}

/**
 * The certificate of two files, and what replaces it there. The files are read again and again: that finds what any kind of renewal does (a
 * file written in place, one renamed over it, a symbolic link turned to another folder, as in Kubernetes, a network file system), and costs
 * less than it takes to say why a notification of the kernel is missing.
 *
 * Certificate and key are two files, and may be seen while only one of them is new. What cannot be used changes nothing: it is logged once,
 * and looked at again.
 */
export class CertificateWatch implements CertificateSource {
  readonly #options: CertificateWatchOptions;
  readonly #holder: CertificateHolder;
  readonly #timer: NodeJS.Timeout;
  /** What was logged of the files as they are. */
  #refused: string | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(options: CertificateWatchOptions, first: PortCertificate) {
    this.#options = options;
    this.#holder = new CertificateHolder(first);
    this.#timer = setInterval(() => void this.#look(), options.intervalMs ?? 10_000).unref();
  }

  /** Throws a `ConfigError` if the files cannot be used. One that has expired is served: to serve nothing helps nobody. */
  static async start(options: CertificateWatchOptions): Promise<CertificateWatch> {
    return new CertificateWatch(options, await readCertificate(options.files));
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

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** One after the other, so that an older certificate never replaces a newer one. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#takeOver());
    return this.#looking;
  }

  async #takeOver(): Promise<void> {
    const { files, clock, logger } = this.#options;
    const { current } = this.#holder;
    try {
      const found = await readCertificate(files);
      if (found.cert === current.cert && found.key === current.key) {
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
      const reason = error instanceof ConfigError ? error.problems.join("; ") : String(error);
      if (reason !== this.#refused) {
        this.#refused = reason;
        logger.warn("certificate_refused", { reason });
      }
    }
  }
}
