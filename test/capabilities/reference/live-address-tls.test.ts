import { connect } from "node:http2";
import { request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeTlsFolder, type TlsFolder } from "../../server/tls-folder.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";

let app: TestApp;
let folder: TlsFolder;

beforeAll(async () => {
  folder = await makeTlsFolder();
  app = await startTestApp({ tls: folder.tls });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
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
    const outgoing = request(app.url + path, { ca: folder.cert }, (response) => resolve(textOf(response)));
    outgoing.on("error", reject).end();
  });
}

async function overHttp2(path: string): Promise<string> {
  const session = connect(app.url, { ca: folder.cert });
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
  const { info, paths } = JSON.parse(await get("/openapi.json"));
  expect(paths["/verify/start"].post["x-codeSamples"].at(-1).source).not.toContain("-plaintext");
  expect(info.description).toContain(`${app.url}/docs`);
  expect(await get("/docs")).toContain("<title>Byond API</title>");
});
