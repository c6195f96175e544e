import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSelfSignedCertificate } from "../server/self-signed-certificate.ts";
import { startTestApp, type TestApp } from "../support/app.ts";

let app: TestApp;
let folder: string;
const { cert, key } = makeSelfSignedCertificate();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-tls-"));
  const tls = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  await writeFile(tls.certPath, cert);
  await writeFile(tls.keyPath, key);
  app = await startTestApp({ tls });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function overHttp1(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(app.url + path, { ca: cert }, (response) => resolve(textOf(response)));
    outgoing.on("error", reject).end();
  });
}

async function overHttp2(path: string): Promise<string> {
  const session = connect(app.url, { ca: cert });
  try {
    return await textOf(session.request({ ":path": path }));
  } finally {
    session.close();
  }
}

test.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
])("with TLS the live address is an https one, over %s", async (_, get) => {
  expect(app.url).toMatch(/^https:/);
  const { servers } = JSON.parse(await get("/openapi.json"));
  expect(servers[0].url).toBe(`${app.url}/api/v1`);
  expect(await get("/docs")).toContain("<title>Byond reference</title>");
});
