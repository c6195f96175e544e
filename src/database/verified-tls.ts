import { checkServerIdentity, type PeerCertificate, type SecureContext } from "node:tls";
import type { DatabaseTls } from "./database-url.ts";

/**
 * How a client of `pg` encrypts: options of `tls.connect`. An instance of a class, because MikroORM copies plain objects, and
 * a secure context cannot be copied.
 */
export class VerifiedTls {
  readonly verifies: DatabaseTls["verifies"];
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;

  constructor(secureContext: SecureContext, verifies: DatabaseTls["verifies"], host: string) {
    this.verifies = verifies;
    this.secureContext = secureContext;
    this.rejectUnauthorized = verifies !== "nothing";
    // `pg` does not say the host if it is an address, and Node takes "localhost" for it then.
    this.checkServerIdentity = (_name, certificate) =>
      verifies === "authority and name" ? checkServerIdentity(host, certificate) : undefined;
  }
}
