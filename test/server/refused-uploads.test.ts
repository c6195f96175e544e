/** A body that is not read to its end costs its client the connection at most, and does not affect others. */
import { once } from "node:events";
import { constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../src/app.ts";
import type { OnePortOptions } from "../../src/server/one-port.ts";
import { LINGER_MS } from "../../src/server/timeouts.ts";
import { useTestApp } from "../support/app.ts";
import { connectHttp2, exchangeRaw, openTestPort, readAnswer } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const whatsappWebhook = { appSecret: "the secret of the app at Meta", verifyToken: "a word" };

const app = useTestApp({ delivery: { ...parseConfig({}).delivery, whatsappWebhook } });

const spaces = (bytes: number) => " ".repeat(bytes);
const sized = (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (body: string) =>
  `Transfer-Encoding: chunked\r\n\r\n${body.replace(/.{1,16384}/gs, (chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)}0\r\n\r\n`;

const JSON_TYPE = "Content-Type: application/json\r\n";
const signIn = "POST /api/v1/auth/sign-in";
const signInRpc = "POST /byond.v1.AuthService/SignIn";
const watch = "POST /grpc.health.v1.Health/Watch";

/** A message of a stream: a byte of flags, four of its length (Connect protocol, "Streaming RPCs"). */
function envelope(bytes: number): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return `\0${length.toString("latin1")}${spaces(bytes)}`;
}

/** Everything that the server says to a request and, where it may still be asked, to one after it. */
async function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  const closed = once(socket, "close");
  socket.write(text, "latin1");
  await once(socket, "data");
  socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await closed;
  return received;
}

/** Without one, a report is refused before anything of it is read. */
const signature = `X-Hub-Signature-256: sha256=${"0".repeat(64)}\r\n`;

describe("over HTTP/1.1, after a refused upload, the next request on the connection is answered, or the connection closed", () => {
  test.each([
    ["REST, chunked", signIn, JSON_TYPE, chunked(spaces(200_000)), 413],
    ["REST, in a coding that is not taken", signIn, "Content-Encoding: zstd\r\n", chunked(spaces(200_000)), 415],
    ["REST, a GET with a body", "GET /api/v1/lookup?number=1", "", chunked(spaces(200_000)), 401],
    ["REST, a long body", signIn, JSON_TYPE, sized(spaces(5_000_000)), 413],
    ["no such path", "POST /nowhere", "", chunked(spaces(200_000)), 404],
    ["a page", "POST /healthz", "", chunked(spaces(200_000)), 200],
    ["Connect", signInRpc, JSON_TYPE, sized(spaces(200_000)), 429],
    ["Connect, chunked", signInRpc, JSON_TYPE, chunked(spaces(200_000)), 429],
    ["gRPC-Web, chunked", signInRpc, "Content-Type: application/grpc-web\r\n", chunked(spaces(200_000)), 200],
    ["a stream of Connect", watch, "Content-Type: application/connect+json\r\n", sized(envelope(200_000)), 200],
    ["a report of WhatsApp", "POST /webhooks/whatsapp", signature, sized(spaces(3 * 1024 * 1024 + 100_000)), 413],
    ["a report of WhatsApp, chunked", "POST /webhooks/whatsapp", signature, chunked(spaces(4 * 1024 * 1024)), 413],
  ])("%s", async (_what, line, headers, body, status) => {
    const received = await exchange(`${line} HTTP/1.1\r\nHost: a\r\n${headers}${body}`);
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const [head] = received.split("\r\n\r\n", 1);
    const isLast = /^connection: close$/im.test(head ?? "");
    expect(received.match(/\{"status":"ok"\}/g)?.length ?? 0).toBe(
      (isLast ? 0 : 1) + (line.includes("/healthz") ? 1 : 0),
    );
  });
});

/** A port that refuses every request when it has read the first bytes of its body. */
const openRefusing = (overrides: Partial<OnePortOptions> = {}) =>
  openTestPort({
    onRequest: async (request, response) => {
      await request[Symbol.asyncIterator]().next();
      response.statusCode = 413;
      response.end("refused");
    },
    ...overrides,
  });

const CHUNK = `4000\r\n${spaces(0x4000)}\r\n`;
const upload = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const refusal = /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n[\s\S]*refused$/;

async function keepSending(socket: Socket, chunks: number): Promise<void> {
  for (let sent = 0; sent < chunks; sent += 1) {
    if (!socket.write(CHUNK)) await once(socket, "drain");
  }
}

describe("a client that is still sending", () => {
  test.each([["in the clear"], ["over TLS"]])("gets its refusal and may finish sending, %s", async (how) => {
    const tls = how === "over TLS" ? makeSelfSignedCertificate() : undefined;
    const port = await openRefusing(tls === undefined ? {} : { tls });
    const to = { port: port.address.port, host: port.address.host, allowHalfOpen: true };
    const socket = tls === undefined ? connect(to) : connectTls({ ...to, ca: tls.cert });
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    socket.write(upload + CHUNK);
    await once(socket, "data");
    // A reset would fail this, and could take away the answer.
    await keepSending(socket, 100);
    socket.end("0\r\n\r\n");
    await once(socket, "close");
    expect(received).toMatch(refusal);
    await port.close(0);
  });

  test("cannot send another request after it", async () => {
    const port = await openRefusing();
    const { socket, ended } = exchangeRaw(port, upload + CHUNK);
    await once(socket, "data");
    socket.write("0\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    expect(await ended).toMatch(refusal);
    await port.close(0);
  });

  test("and never stops is disconnected when its request takes too long", async () => {
    const port = await openRefusing({ timeouts: { headersMs: 600, requestMs: 600 } });
    const { socket, ended } = exchangeRaw(port, upload + CHUNK);
    const sending = setInterval(() => socket.write(CHUNK), 20);
    expect(await ended).toMatch(refusal);
    clearInterval(sending);
    await port.close(0);
  });

  test("does not keep a server from stopping", async () => {
    const port = await openRefusing();
    const { socket, ended } = exchangeRaw(port, upload + CHUNK);
    await once(socket, "data");
    expect(await port.close(60_000)).toBe(true);
    expect(await ended).toMatch(refusal);
  });

  test("a short body of known length keeps its connection: the rest is discarded", async () => {
    const port = await openRefusing();
    const { socket, received, ended } = exchangeRaw(
      port,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n",
    );
    await keepSending(socket, 6);
    while (!received().endsWith("refused")) await once(socket, "data");
    expect(received()).toMatch(/\r\nConnection: keep-alive\r\n/);
    socket.write(spaces(200_000 - 6 * CHUNK.length));
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    expect((await ended).match(/refused/g)).toHaveLength(2);
    await port.close(0);
  });

  test("over HTTP/2 releases its stream: a hundred refused uploads do not block the connection", async () => {
    const port = await openRefusing();
    const session = connectHttp2(port.url);
    const uploads = Array.from({ length: 100 }, () => session.request({ ":method": "POST", ":path": "/" }));
    const answers = uploads.map(readAnswer);
    for (const stream of uploads) stream.write(spaces(60_000));
    const other = session.request({ ":method": "POST", ":path": "/" });
    other.end("x");
    expect(await readAnswer(other)).toMatchObject({ status: 413, body: "refused" });
    for (const answer of answers) expect(await answer).toEqual({ status: 413, body: "refused", resetCode: 0 });
    session.destroy();
    await port.close(0);
  });
});

describe("a client that disconnects during its body is not logged as a server error", () => {
  const leave = async (path: string, contentType: string, over: "HTTP/1.1" | "HTTP/2") => {
    const finished = () => app.logLines.filter((line) => line.includes('"event":"request"')).length;
    const before = finished();
    if (over === "HTTP/2") {
      const session = connectHttp2(app.url);
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType });
      stream.on("error", () => undefined);
      stream.write("{");
      await once(session, "remoteSettings");
      await new Promise((resolve) => session.ping(resolve));
      stream.close(constants.NGHTTP2_CANCEL);
      await vi.waitFor(() => expect(finished()).toBe(before + 1), { timeout: 20_000 });
      session.destroy();
      return;
    }
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\nExpect: 100-continue\r\n`;
    socket.write(`${head}Content-Length: 100\r\n\r\n`);
    await once(socket, "data");
    socket.write("{", () => socket.resetAndDestroy());
    await vi.waitFor(() => expect(finished()).toBe(before + 1), { timeout: 20_000 });
  };

  test.each([
    ["REST", "/api/v1/auth/sign-in", "application/json"],
    ["Connect", "/byond.v1.AuthService/SignIn", "application/json"],
    ["gRPC-Web", "/byond.v1.AuthService/SignIn", "application/grpc-web"],
    ["gRPC", "/byond.v1.AuthService/SignIn", "application/grpc"],
    ["a report of WhatsApp", "/webhooks/whatsapp", "application/json"],
  ])("%s", async (_what, path, contentType) => {
    await leave(path, contentType, "HTTP/1.1");
    await leave(path, contentType, "HTTP/2");
    await new Promise(setImmediate);
    expect(app.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

describe("over HTTP/2 an upload that is refused unread may be sent to its end", () => {
  test.each([
    ["REST", "/api/v1/verify/start", "application/json", 401],
    ["gRPC", "/byond.v1.VerifyService/StartVerification", "application/grpc", 200],
    ["gRPC-Web", "/byond.v1.VerifyService/StartVerification", "application/grpc-web", 200],
    ["no such RPC", "/byond.v1.Nothing/Nothing", "application/grpc", 200],
    ["a page", "/healthz", "application/json", 200],
  ])("%s", async (_what, path, contentType, status) => {
    const session = connectHttp2(app.url);
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType });
    const answer = readAnswer(stream);
    stream.write(spaces(60_000));
    await once(stream, "end");
    // A reset would arrive before the answer to this.
    await new Promise((resolve) => session.ping(resolve));
    expect(stream.closed).toBe(false);
    stream.end(spaces(300_000));
    expect(await answer).toMatchObject({ status, resetCode: 0 });
    session.destroy();
  });
});

test("over HTTP/2 a refused upload that continues slowly may be sent to its end", async () => {
  const port = await openRefusing();
  const session = connectHttp2(port.url);
  const stream = session.request({ ":method": "POST", ":path": "/" });
  const answer = readAnswer(stream);
  const sending = setInterval(() => stream.write("x"), 100);
  stream.write("x");
  await once(stream, "end");
  await new Promise((resolve) => setTimeout(resolve, 2 * LINGER_MS));
  expect(stream.closed).toBe(false);
  clearInterval(sending);
  stream.end();
  expect(await answer).toEqual({ status: 413, body: "refused", resetCode: 0 });
  session.destroy();
  await port.close(0);
});

test("over HTTP/2 a refused upload that never stops does not keep a server from stopping", async () => {
  const port = await openRefusing();
  const session = connectHttp2(port.url);
  const stream = session.request({ ":method": "POST", ":path": "/" });
  const answer = readAnswer(stream);
  const sending = setInterval(() => stream.write("x"), 100);
  stream.write("x");
  await once(stream, "end");
  const since = performance.now();
  expect(await port.close(10_000)).toBe(true);
  expect(performance.now() - since).toBeLessThan(5_000);
  expect(await answer).toMatchObject({ status: 413 });
  clearInterval(sending);
});
