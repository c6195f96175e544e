import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
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
  attempt(`TLS_CERT and TLS_KEY: ${certPath} and ${keyPath} cannot be used`, () => createSecureContext({ cert, key }));
  return { cert, key };
}

async function readPem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
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
