import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its key in PEM, with what it takes to sign others. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly privateKey: KeyObject;
  readonly subject: Buffer;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Names and IPv4 addresses that it is good for. None: the extension is left out. */
  readonly names?: readonly string[];
  /** Who signs it. Default: it signs itself. */
  readonly issuer?: Certificate;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** Default: a minute ago, or a minute before it expires if that is over. */
  readonly startsAtMs?: number;
  /** Default: in an hour. */
  readonly expiresAtMs?: number;
}

/**
 * Creates a key and a certificate: X.509 version 3 (RFC 5280), encoded in DER by hand, since Node cannot create certificates
 * and not every machine has openssl.
 */
export function makeCertificate(request: CertificateRequest): Certificate {
  const { commonName, names = [], issuer, isAuthority = false, expiresAtMs = Date.now() + 3_600_000 } = request;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const startsAtMs = request.startsAtMs ?? Math.min(Date.now(), expiresAtMs) - 60_000;
  const subjectPublicKey = publicKey.export({ type: "spki", format: "der" });
  const ecdsaWithSha256 = sequence(objectIdentifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
  const subject = sequence(
    element(0x31, sequence(objectIdentifier([0x55, 0x04, 0x03]), element(0x0c, Buffer.from(commonName)))),
  );
  const extensions = [
    ...(names.length === 0 ? [] : [sequence(objectIdentifier([0x55, 0x1d, 0x11]), octets(alternativeNames(names)))]),
    // Basic constraints, critical.
    ...(isAuthority ? [sequence(objectIdentifier([0x55, 0x1d, 0x13]), yes, octets(sequence(yes)))] : []),
  ];
  const serialNumber = createHash("sha256").update(subjectPublicKey).digest().subarray(0, 8);
  serialNumber[0] = 1;

  const toBeSigned = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, serialNumber),
    ecdsaWithSha256,
    issuer?.subject ?? subject,
    sequence(time(startsAtMs), time(expiresAtMs)),
    subject,
    subjectPublicKey,
    ...(extensions.length === 0 ? [] : [element(0xa3, sequence(...extensions))]),
  );
  const signature = sign("sha256", toBeSigned, issuer?.privateKey ?? privateKey);
  const certificate = sequence(
    toBeSigned,
    ecdsaWithSha256,
    element(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`),
    key: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
    privateKey,
    subject,
  };
}

function alternativeNames(names: readonly string[]): Buffer {
  return sequence(
    ...names.map((name) =>
      isIP(name) === 4 ? element(0x87, Buffer.from(name.split(".").map(Number))) : element(0x82, Buffer.from(name)),
    ),
  );
}

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

const yes = element(0x01, Buffer.from([0xff]));

function octets(content: Uint8Array): Buffer {
  return element(0x04, content);
}

function sequence(...contents: Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(contents));
}

function objectIdentifier(encoded: readonly number[]): Buffer {
  return element(0x06, Buffer.from(encoded));
}

/** UTCTime, which is good until 2049. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\D/g, "").slice(2, 14);
  return element(0x17, Buffer.from(`${digits}Z`));
}
