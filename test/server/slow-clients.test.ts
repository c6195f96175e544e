import { once } from "node:events";
import { ServerResponse } from "node:http";
import { constants } from "node:http2";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { OnePortOptions } from "../../src/server/one-port.ts";
import { emitterOf } from "../../src/server/server-request.ts";
import { connectHttp2, exchangeRaw, openTestPort, readAnswer, type TestPort } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const timeouts = { firstByteMs: 300, headersMs: 300, requestMs: 600, keepAliveMs: 300, stalledMs: 300 };
const tls = makeSelfSignedCertificate();

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(overrides: Partial<OnePortOptions> = {}): Promise<TestPort> {
  const port = await openTestPort({ timeouts, ...overrides });
  cleanups.push(() => port.close(0));
  return port;
}

function every(milliseconds: number, act: () => void): void {
  const timer = setInterval(act, milliseconds);
  cleanups.push(() => clearInterval(timer));
}

/** Waits for the connection to be ended by the server: not before `fromMs`, and well before a client's patience. */
async function expectEnd<T>(ended: Promise<T>, fromMs: number): Promise<T> {
  const since = performance.now();
  const result = await ended;
  const elapsedMs = performance.now() - since;
  // Timers may be a little early.
  expect(elapsedMs).toBeGreaterThan(fromMs - 50);
  expect(elapsedMs).toBeLessThan(fromMs + 4_000);
  return result;
}

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\n";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = "\0\0\0\x04\0\0\0\0\0";

describe("HTTP/1.1", () => {
  test("a client that sends nothing is disconnected", async () => {
    expect(await expectEnd(exchangeRaw(await open(), "").ended, 300)).toBe("");
  });

  test("a client whose first bytes match no protocol yet is disconnected", async () => {
    const { socket, ended } = exchangeRaw(await open(), "");
    const letters = [...PREFACE];
    every(100, () => socket.write(letters.shift() ?? ""));
    expect(await expectEnd(ended, 300)).toBe("");
  });

  test("headers that arrive too slowly get 408", async () => {
    const { socket, ended } = exchangeRaw(await open(), HEAD);
    every(20, () => socket.write("a"));
    expect(await expectEnd(ended, 300)).toMatch(
      /^HTTP\/1\.1 408 Request Timeout.*"The request took too long to arrive\."/s,
    );
  });

  test("a body that arrives too slowly gets 408", async () => {
    const { socket, ended } = exchangeRaw(await open(), `${HEAD}Content-Length: 100000\r\n\r\n`);
    every(20, () => socket.write("a"));
    expect(await expectEnd(ended, 600)).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
  });

  test("a slow body after its answer gets no second answer, which would be read as the next request's", async () => {
    const port = await open({ onRequest: (_request, response) => void response.end("answered") });
    const { socket, ended } = exchangeRaw(port, `${HEAD}Content-Length: 100000\r\n\r\n`);
    every(20, () => socket.write("a"));
    expect(await expectEnd(ended, 600)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nanswered$/);
  });

  test("a connection without requests is closed", async () => {
    const { ended } = exchangeRaw(await open(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await expectEnd(ended, 300)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("a client that does not read its answer is disconnected", async () => {
    const closed = Promise.withResolvers<void>();
    const port = await open({
      onRequest: (_request, response) => {
        if (!(response instanceof ServerResponse)) return;
        response.once("close", closed.resolve);
        response.end(Buffer.alloc(50_000_000));
      },
    });
    const { socket } = exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    socket.pause();
    await expectEnd(closed.promise, 300);
    socket.destroy();
  });

  test("a handler may take longer than any client", async () => {
    const port = await open({ onRequest: (_request, response) => void setTimeout(() => response.end("late"), 1_500) });
    expect(await exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ended).toMatch(/late$/);
  });
});

describe("HTTP/2", () => {
  test.each([
    ["the preface", PREFACE],
    ["the preface and half a frame", `${PREFACE}\0\0`],
  ])("%s, then silence", async (_name, text) => {
    await expectEnd(exchangeRaw(await open(), text).ended, 300);
  });

  test("a connection without any request is closed, with or without pings", async () => {
    const { socket, ended } = exchangeRaw(await open(), `${PREFACE}${SETTINGS}`);
    every(20, () => socket.write("\0\0\x08\x06\0\0\0\0\0pingpong"));
    await expectEnd(ended, 300);
  });

  test("headers that arrive too slowly end the connection", async () => {
    // A header called "a" with a value of 126 characters, of which one comes at a time.
    const { socket, ended } = exchangeRaw(
      await open(),
      `${PREFACE}${SETTINGS}\0\0\x06\x01\0\0\0\0\x01\x82\x86\x84\0\x01a`,
    );
    socket.write("\0\0\x01\x09\0\0\0\0\x01\x7e");
    every(60, () => socket.write("\0\0\x01\x09\0\0\0\0\x01x"));
    await expectEnd(ended, 300);
  });

  test("a connection without requests is closed with GOAWAY", async () => {
    const session = connectHttp2((await open()).url);
    await readAnswer(session.request({ ":path": "/" }));
    const [code] = await expectEnd(once(session, "goaway"), 300);
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test("a body that arrives too slowly is cancelled", async () => {
    const session = connectHttp2((await open()).url);
    const stream = session.request({ ":path": "/", ":method": "POST" });
    every(20, () => stream.writable && stream.write("a"));
    expect(await expectEnd(readAnswer(stream), 600)).toMatchObject({ resetCode: constants.NGHTTP2_CANCEL });
    session.destroy();
  });

  test("a request whose answer is not read is cancelled", async () => {
    const closed = Promise.withResolvers<void>();
    const port = await open({
      onRequest: (_request, response) => {
        emitterOf(response).once("close", closed.resolve);
        response.end(Buffer.alloc(1_000_000));
      },
    });
    const session = connectHttp2(port.url);
    // Nothing listens for data, so that its window is never opened again.
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    await expectEnd(closed.promise, 300);
    session.destroy();
  });

  test("a client that stops reading once more is noticed once more", async () => {
    const closed = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(100_000);
    const port = await open({
      onRequest: (_request, response) => {
        if (response instanceof ServerResponse) return;
        response.stream.once("close", closed.resolve);
        response.write(chunk);
        // Later than a client may stall: meanwhile there is nothing to read.
        response.stream.once("drain", () => setTimeout(() => response.write(chunk), 700));
      },
    });
    const session = connectHttp2(port.url);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    await once(stream, "response");
    // The server has looked at the stream by then, and it had something to send.
    await new Promise((resolve) => setTimeout(resolve, 200));
    let bytes = 0;
    const received = new Promise<void>((resolve) => {
      stream.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes === chunk.length) {
          stream.pause();
          resolve();
        }
      });
    });
    await received;
    await expectEnd(closed.promise, 700 + 300);
    session.destroy();
  });

  test("a bidirectional call may last as long as its client likes", async () => {
    const port = await open({
      onRequest: (request, response) => {
        response.statusCode = 200;
        const emitter: NodeJS.EventEmitter = "stream" in request ? request.stream : request;
        emitter.on("data", (chunk: Buffer) => {
          if (!(response instanceof ServerResponse)) response.write(chunk);
        });
        emitter.on("end", () => response.end());
      },
    });
    const session = connectHttp2(port.url);
    const stream = session.request({ ":path": "/", ":method": "POST" });
    const answer = readAnswer(stream);
    stream.write("first ");
    await once(stream, "data");
    setTimeout(() => stream.end("last"), 1_500);
    expect(await answer).toEqual({ status: 200, body: "first last", resetCode: 0 });
    session.destroy();
  });
});

describe("TLS", () => {
  test("a client that does not start the handshake is disconnected", async () => {
    await expectEnd(exchangeRaw(await open({ tls }), "").ended, 300);
  });

  test.each([["http/1.1"], ["h2"]])(
    "a client that sends nothing after the handshake is disconnected (%s)",
    async (protocol) => {
      const { address } = await open({ tls });
      const socket = connectTls({ port: address.port, host: address.host, ca: tls.cert, ALPNProtocols: [protocol] });
      socket.on("error", () => undefined);
      await once(socket, "secureConnect");
      socket.resume();
      await expectEnd(once(socket, "close"), 300);
    },
  );
});
