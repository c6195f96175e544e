import { createPrivateKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCertificate } from "../../src/server/certificate.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-certificate-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const one = makeSelfSignedCertificate();
const other = makeSelfSignedCertificate();
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
  const key = one.key.toString();
  expect(await read(one.cert, one.key)).toEqual({ cert: one.cert.toString(), key });
  const chain = Buffer.concat([one.cert, other.cert]);
  expect(await read(chain, one.key)).toEqual({ cert: chain.toString(), key });
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
