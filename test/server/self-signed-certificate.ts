import { createHash, generateKeyPairSync, sign } from "node:crypto";

/**
 * Makes a key and a certificate for 127.0.0.1 that is good for an hour: X.509 version 3 (RFC 5280) in DER, by hand, as
 * Node can read certificates but not make them, and not every machine has openssl.
 */
export function makeSelfSignedCertificate(): { readonly cert: Buffer; readonly key: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subjectPublicKey = publicKey.export({ type: "spki", format: "der" });
  const ecdsaWithSha256 = sequence(objectIdentifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
  const commonName = sequence(objectIdentifier([0x55, 0x04, 0x03]), element(0x0c, Buffer.from("127.0.0.1")));
  const name = sequence(element(0x31, commonName));
  const subjectAlternativeName = sequence(
    objectIdentifier([0x55, 0x1d, 0x11]),
    element(0x04, sequence(element(0x87, Buffer.from([127, 0, 0, 1])))),
  );
  const serialNumber = createHash("sha256").update(subjectPublicKey).digest().subarray(0, 8);
  serialNumber[0] = 1;

  const toBeSigned = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, serialNumber),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - 60_000), time(Date.now() + 3_600_000)),
    name,
    subjectPublicKey,
    element(0xa3, sequence(subjectAlternativeName)),
  );
  const signature = element(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", toBeSigned, privateKey)]));
  const certificate = sequence(toBeSigned, ecdsaWithSha256, signature);
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`),
    key: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
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
