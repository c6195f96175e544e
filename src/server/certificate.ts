import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { ConfigError } from "../config/config-error.ts";
import type { PortCertificate } from "./certificate-source.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

/**
 * Reads and tests the certificate, optionally followed by its chain, and its key. Throws a `ConfigError` that names the file
 * that cannot be used.
 */
export async function readCertificate({ certPath, keyPath }: CertificateFiles): Promise<PortCertificate> {
  const cert = await readPem("TLS_CERT", certPath);
  const key = await readPem("TLS_KEY", keyPath);
  const certificate = attempt(`TLS_CERT: ${certPath} holds no certificate in PEM`, () => new X509Certificate(cert));
  const privateKey = attempt(
    `TLS_KEY: ${keyPath} holds no key in PEM, or one with a passphrase`,
    (): KeyObject => createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError([`TLS_KEY: ${keyPath} is not the key of the certificate in TLS_CERT, ${certPath}`]);
  }
  checkChain(certPath, cert);
  attempt(`TLS_CERT and TLS_KEY: ${certPath} and ${keyPath} cannot be used`, () => createSecureContext({ cert, key }));
  return { cert, key };
}

/**
 * Each certificate must be issued by the one that follows, as TLS 1.2 demands (RFC 5246, 7.4.2). OpenSSL also takes a file of which only the
 * beginning is there, and sends what clients cannot verify.
 */
function checkChain(certPath: string, pem: string): void {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----/gs)];
  const last = blocks.at(-1);
  if (last !== undefined && pem.slice(last.index + last[0].length).trim() !== "") {
    throw new ConfigError([`TLS_CERT: ${certPath} does not end after its last complete certificate`]);
  }
  const chain = blocks
    .filter(([, label]) => label?.endsWith("CERTIFICATE"))
    .map(([block], index) =>
      attempt(`TLS_CERT: certificate ${index + 1} in ${certPath} cannot be read`, () => new X509Certificate(block)),
    );
  for (const [index, issuer] of chain.slice(1).entries()) {
    const issued = chain[index];
    const isIssuer = attempt(
      `TLS_CERT: certificate ${index + 2} in ${certPath} cannot be used`,
      () => issued?.checkIssued(issuer) && issued.verify(issuer.publicKey),
    );
    if (!isIssuer) {
      throw new ConfigError([
        `TLS_CERT: certificate ${index + 2} in ${certPath} is not the issuer of certificate ${index + 1}`,
      ]);
    }
  }
}

async function readPem(setting: string, path: string): Promise<string> {
  try {
    // To open a FIFO waits for whoever writes to it, unless it is told not to. Windows has neither.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile()) {
      throw new Error(`${path} is not a regular file`);
    }
    return await file.readFile("utf8");
  } catch (cause) {
    throw new ConfigError([`${setting}: ${messageOf(cause)}`]);
  }
}

function attempt<T>(problem: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ConfigError([`${problem}: ${messageOf(cause)}`]);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
