import { createPrivateKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCertificate } from "../../src/server/certificate.ts";
import { makeCertificate } from "../support/certificates.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-certificate-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const one = makeSelfSignedCertificate();
const other = makeSelfSignedCertificate();
const root = makeCertificate({ commonName: "a root", isAuthority: true });
const intermediate = makeCertificate({ commonName: "an authority", isAuthority: true, issuer: root });
const namesake = makeCertificate({ commonName: "an authority", isAuthority: true, issuer: root });
const leaf = makeCertificate({ commonName: "127.0.0.1", names: ["127.0.0.1"], issuer: intermediate });
const locked = createPrivateKey(one.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "hunter2",
});

async function read(cert: string | Buffer, key: string | Buffer) {
  const paths = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  await writeFile(paths.certPath, cert);
  await writeFile(paths.keyPath, key);
  return readCertificate(paths);
}

test("a certificate, its chain and its key are read", async () => {
  expect(await read(one.cert, one.key)).toEqual({ cert: one.cert.toString(), key: one.key.toString() });
  const chain = Buffer.concat([leaf.cert, intermediate.cert, root.cert]);
  expect(await read(chain, leaf.key)).toEqual({ cert: chain.toString(), key: leaf.key.toString() });
});

test("what other programs write around the certificates, and the key in the same file, are no fault", async () => {
  const file = `Bag Attributes\r\n${leaf.cert}subject=CN = b\r\n${intermediate.cert}\n${leaf.key}\n\n`;
  expect(await read(file, file)).toEqual({ cert: file, key: file });
});

test.each([
  ["no certificate", "no certificate", one.key, /- TLS_CERT: \S+cert\.pem holds no certificate in PEM: /],
  ["the two exchanged", one.key, one.cert, /- TLS_CERT: \S+cert\.pem holds no certificate in PEM: /],
  ["no key", one.cert, "no key", /- TLS_KEY: \S+key\.pem holds no key in PEM, or one with a passphrase: /],
  ["a certificate for a key", one.cert, one.cert, /- TLS_KEY: \S+key\.pem holds no key in PEM/],
  [
    "a key with a passphrase",
    one.cert,
    locked,
    /- TLS_KEY: \S+key\.pem holds no key in PEM, or one with a passphrase: /,
  ],
  ["another key", one.cert, other.key, /- TLS_KEY: \S+key\.pem is not the key of the certificate in TLS_CERT, \S+cert/],
  [
    "another's chain",
    Buffer.concat([leaf.cert, intermediate.cert, one.cert]),
    leaf.key,
    /- TLS_CERT: certificate 3 in \S+cert\.pem is not the issuer of certificate 2/,
  ],
  [
    "an issuer of the same name",
    Buffer.concat([leaf.cert, namesake.cert]),
    leaf.key,
    /- TLS_CERT: certificate 2 in \S+ is not the issuer of certificate 1/,
  ],
  [
    "a chain in another order",
    Buffer.concat([leaf.cert, root.cert, intermediate.cert]),
    leaf.key,
    /- TLS_CERT: certificate 2 in \S+ is not the issuer of certificate 1/,
  ],
  [
    "a chain without its end",
    Buffer.concat([leaf.cert, intermediate.cert.subarray(0, -3)]),
    leaf.key,
    /- TLS_CERT: \S+cert\.pem does not end after its last complete certificate/,
  ],
  [
    "a chain that is damaged",
    `${leaf.cert}${intermediate.cert.toString().replace("\nMII", "\nAII")}`,
    leaf.key,
    /- TLS_CERT: certificate 2 in \S+cert\.pem cannot be read: /,
  ],
  ["the issuer first", Buffer.concat([other.cert, one.cert]), one.key, /- TLS_KEY: \S+key\.pem is not the key/],
])("%s is refused, and the setting named", async (_what, cert, key, problem) => {
  await expect(read(cert, key)).rejects.toThrow(problem);
});

test("missing files are named with their setting", async () => {
  const nowhere = join(folder, "nowhere.pem");
  const here = join(folder, "cert.pem");
  await writeFile(here, one.cert);
  await expect(readCertificate({ certPath: nowhere, keyPath: here })).rejects.toThrow(/- TLS_CERT: ENOENT/);
  await expect(readCertificate({ certPath: here, keyPath: nowhere })).rejects.toThrow(/- TLS_KEY: ENOENT/);
});
