/** `Strict-Transport-Security`: on every answer over TLS of our own, and on none without. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { makeTlsFolder, type TlsFolder } from "./tls-folder.ts";

const header = "max-age=31536000";

let folder: TlsFolder;
let secure: TestApp;
let plain: TestApp;
let plainPort: number;
beforeAll(async () => {
  folder = await makeTlsFolder();
  secure = await startTestApp({ tls: folder.tls });
  plainPort = await freePort();
  plain = await startTestApp({ port: plainPort, publicUrl: "https://verify.example.com" });
});
afterAll(async () => {
  await secure[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What the server writes back, until it closes the connection. */
async function exchange(socket: Socket, request: string): Promise<string> {
  socket.setEncoding("latin1");
  let received = "";
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  socket.on("error", () => undefined);
  socket.write(request, "latin1");
  await once(socket, "close");
  return received;
}

const close = "Host: a.example\r\nConnection: close\r\n";
const answers: readonly [what: string, request: string, status: number][] = [
  ["an answer", `GET /healthz HTTP/1.1\r\n${close}\r\n`, 200],
  ["a page", `GET /docs/errors HTTP/1.1\r\n${close}\r\n`, 200],
  ["a refused call", `GET /api/v1/lookup?number=1 HTTP/1.1\r\n${close}\r\n`, 401],
  ["an unknown path", `GET /nothing HTTP/1.1\r\n${close}\r\n`, 404],
  ["a refused RPC", `POST /byond.v1.LookupService/LookupNumber HTTP/1.1\r\n${close}Content-Length: 0\r\n\r\n`, 415],
  ["a request without a Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["too many headers", `GET / HTTP/1.1\r\n${close}${"a: b\r\n".repeat(300)}\r\n`, 431],
  ["an Expect that is not supported", `GET / HTTP/1.1\r\n${close}Expect: tea\r\n\r\n`, 400],
  ["what is not HTTP", "nonsense\r\n\r\n", 400],
  ["headers that are too long", `GET / HTTP/1.1\r\n${close}a: ${"b".repeat(100_000)}\r\n\r\n`, 431],
  ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400],
];

describe.each(answers)("%s", (_, request, status) => {
  test("over TLS has Strict-Transport-Security", async () => {
    const answer = await exchange(
      connectTls({ host: "127.0.0.1", port: Number(new URL(secure.url).port), ca: folder.cert }),
      request,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/^strict-transport-security: .*$/gim)).toEqual([
      expect.stringMatching(new RegExp(`^strict-transport-security: ${header}$`, "i")),
    ]);
  });

  test("without TLS does not have it, even if a proxy ends TLS", async () => {
    const answer = await exchange(connect(plainPort, "127.0.0.1"), request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/strict-transport-security/i);
  });
});

test.each([
  ["a call", { ":path": "/api/v1/lookup?number=1" }, 401],
  ["CONNECT", { ":method": "CONNECT", ":authority": "a.example:443" }, 400],
  ["an Expect that is not supported", { ":path": "/healthz", expect: "tea" }, 400],
  ["gRPC", { ":method": "POST", ":path": "/grpc.health.v1.Health/Check", "content-type": "application/grpc" }, 200],
])("over HTTP/2 %s says so too", async (_, headers, status) => {
  const session = connectHttp2(secure.url, { ca: folder.cert });
  try {
    const stream = session.request(headers, { endStream: true });
    const [answer] = await once(stream, "response");
    stream.close();
    expect(answer[":status"]).toBe(status);
    expect(answer["strict-transport-security"]).toBe(header);
  } finally {
    session.destroy();
  }
});

describe("a client that forgot TLS", () => {
  test.each(["GET", "POST", "PATCH", "DELETE", "OPTIONS"])("gets a 400 that it can read: %s", async (method) => {
    const request = `${method} /api/v1/verify/start HTTP/1.1\r\n${close}Content-Length: 2\r\n\r\n{}`;
    const answer = await exchange(connect(Number(new URL(secure.url).port), "127.0.0.1"), request);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain("This port speaks TLS: use https.");
    // RFC 6797 §7.2
    expect(answer).not.toMatch(/strict-transport-security/i);
  });

  test("does not affect other clients, even in great numbers", async () => {
    const request = `GET / HTTP/1.1\r\n${close}\r\n`;
    const connections = Array.from({ length: 50 }, () =>
      exchange(connect(Number(new URL(secure.url).port), "127.0.0.1"), request),
    );
    expect((await Promise.all(connections)).every((answer) => answer.startsWith("HTTP/1.1 400"))).toBe(true);
    const encrypted = connectTls({ host: "127.0.0.1", port: Number(new URL(secure.url).port), ca: folder.cert });
    expect(await exchange(encrypted, `GET /healthz HTTP/1.1\r\n${close}\r\n`)).toMatch(/^HTTP\/1\.1 200/);
  });
});
