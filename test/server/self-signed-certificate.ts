import { makeCertificate } from "../support/certificates.ts";

/** Makes a key and a certificate for 127.0.0.1 that is good for an hour, by default. */
export function makeSelfSignedCertificate(request: { readonly expiresAtMs?: number } = {}): {
  readonly cert: Buffer;
  readonly key: Buffer;
} {
  return makeCertificate({ commonName: "127.0.0.1", names: ["127.0.0.1"], ...request });
}
