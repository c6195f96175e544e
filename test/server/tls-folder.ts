import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

/** A certificate for 127.0.0.1 in files, for as long as a server uses them. */
export interface TlsFolder extends AsyncDisposable {
  readonly cert: Buffer;
  readonly tls: { readonly certPath: string; readonly keyPath: string };
}

export async function makeTlsFolder(request: { readonly expiresAtMs?: number } = {}): Promise<TlsFolder> {
  const { cert, key } = makeSelfSignedCertificate(request);
  const folder = await mkdtemp(join(tmpdir(), "byond-tls-"));
  const tls = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  await writeFile(tls.certPath, cert);
  await writeFile(tls.keyPath, key);
  return { cert, tls, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
