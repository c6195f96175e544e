/** A certificate, optionally followed by its chain, and its key, both in PEM. */
export interface PortCertificate {
  readonly cert: string;
  readonly key: string;
}

/** The certificate of the port, which is renewed while the server runs. */
export interface CertificateSource {
  readonly current: PortCertificate;
  /** Calls `take` with the current certificate, and with each one that replaces it. */
  follow(take: (certificate: PortCertificate) => void): void;
}

/** Hands on each certificate that it is given. */
export class CertificateHolder implements CertificateSource {
  #current: PortCertificate;
  readonly #followers: ((certificate: PortCertificate) => void)[] = [];

  constructor(first: PortCertificate) {
    this.#current = first;
  }

  get current(): PortCertificate {
    return this.#current;
  }

  follow(take: (certificate: PortCertificate) => void): void {
    this.#followers.push(take);
    take(this.#current);
  }

  replace(certificate: PortCertificate): void {
    this.#current = certificate;
    for (const take of this.#followers) {
      take(certificate);
    }
  }
}
