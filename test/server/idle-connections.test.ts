import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { OnePortOptions } from "../../src/server/one-port.ts";
import { exchangeRaw, openTestPort, readAnswer, type TestPort } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const tls = makeSelfSignedCertificate();
const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(overrides: Partial<OnePortOptions> = {}): Promise<TestPort> {
  const port = await openTestPort({ limits: { maxIdle: 5, maxIdlePerSource: 3 }, ...overrides });
  cleanups.push(() => port.close(0));
  return port;
}

/** A connection, as far as a test of its end looks at it. */
interface Held {
  readonly ended: Promise<unknown>;
  isOpen(): boolean;
}

function held(socket: Socket): Held {
  socket.on("error", () => undefined);
  socket.resume();
  cleanups.push(() => socket.destroy());
  return { ended: once(socket, "close"), isOpen: () => !socket.destroyed && !socket.readableEnded };
}

async function silent({ address }: TestPort, localAddress = "127.0.0.1"): Promise<Held> {
  const socket = connectSocket({ port: address.port, host: address.host, localAddress });
  await once(socket, "connect");
  return held(socket);
}

async function afterRequest({ address }: TestPort, localAddress = "127.0.0.1"): Promise<Held> {
  const socket = connectSocket({ port: address.port, host: address.host, localAddress });
  socket.write(request);
  await once(socket, "data");
  return held(socket);
}

async function http2Session(port: TestPort): Promise<ClientHttp2Session> {
  const session = connectHttp2(port.url);
  session.on("error", () => undefined);
  cleanups.push(() => session.destroy());
  await once(session, "remoteSettings");
  return session;
}

async function http2(port: TestPort): Promise<Held> {
  const session = await http2Session(port);
  return { ended: once(session, "close"), isOpen: () => !session.closed };
}

async function encrypted({ address }: TestPort): Promise<Held> {
  const socket = connectTls({ port: address.port, host: address.host, ca: tls.cert });
  await once(socket, "secureConnect");
  return held(socket);
}

describe.each<[string, (port: TestPort) => Promise<Held>, Partial<OnePortOptions>]>([
  ["connections that say nothing", silent, {}],
  ["HTTP/1.1 connections between requests", afterRequest, {}],
  ["HTTP/2 connections without streams", http2, {}],
  ["TLS connections without a request", encrypted, { tls }],
])("too many %s", (_name, connect, options) => {
  test("of one source: the one that has been idle longest is closed", async () => {
    const port = await open(options);
    const connections = [await connect(port), await connect(port), await connect(port), await connect(port)];
    await connections[0]?.ended;
    expect(connections.map((connection) => connection.isOpen())).toEqual([false, true, true, true]);
  });
});

test("too many idle connections of all sources: the one that has been idle longest is closed", async () => {
  const port = await open();
  const connections: Held[] = [];
  for (const source of ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3", "127.0.0.4"]) {
    connections.push(await afterRequest(port, source));
  }
  await connections[0]?.ended;
  expect(connections.map((connection) => connection.isOpen())).toEqual([false, true, true, true, true, true]);
});

test("a connection in use is not closed", async () => {
  const port = await open();
  const session = await http2Session(port);
  const others = [await silent(port), await silent(port)];
  await readAnswer(session.request({ ":path": "/" }));
  others.push(await silent(port));
  await others[0]?.ended;
  expect(session.closed).toBe(false);
  expect(await readAnswer(session.request({ ":path": "/" }))).toMatchObject({ status: 200 });
});

test("a connection with a request in progress does not count as idle", async () => {
  const release = Promise.withResolvers<void>();
  const port = await open({
    onRequest: async (_request, response) => {
      await release.promise;
      response.end("late");
    },
  });
  const busy = [1, 2, 3, 4].map(() => exchangeRaw(port, request));
  const session = await http2Session(port);
  const answer = readAnswer(session.request({ ":path": "/" }));
  const others = [await silent(port), await silent(port), await silent(port), await silent(port)];
  await others[0]?.ended;
  release.resolve();
  expect(await answer).toMatchObject({ status: 200, body: "late" });
  for (const { socket, received } of busy) {
    if (received() === "") await once(socket, "data");
    expect(received()).toContain("late");
  }
});

test("an idle HTTP/2 connection is closed with GOAWAY", async () => {
  const port = await open();
  const session = await http2Session(port);
  const goaway = once(session, "goaway");
  for (let count = 0; count < 3; count += 1) await silent(port);
  expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
});

test("empty lines between requests do not keep a connection open", async () => {
  const timeouts = { firstByteMs: 300, headersMs: 300, requestMs: 600, keepAliveMs: 300, stalledMs: 300 };
  const port = await open({ timeouts });
  const { socket, ended } = exchangeRaw(port, request);
  const timer = setInterval(() => socket.write("\r\n"), 20);
  cleanups.push(() => clearInterval(timer));
  const sinceMs = performance.now();
  expect(await ended).toMatch(/^HTTP\/1\.1 200 OK/);
  // The linger and a look at the ages later, and time for a busy machine.
  expect(performance.now() - sinceMs).toBeLessThan(6_000);
});

test("connections beyond the maximum are closed at once, and accepted again when others end", async () => {
  const port = await open({ limits: { maxConnections: 2 } });
  const first = exchangeRaw(port, "");
  const second = exchangeRaw(port, "");
  await Promise.all([once(first.socket, "connect"), once(second.socket, "connect")]);
  expect(await exchangeRaw(port, request).ended).toBe("");
  first.socket.destroy();
  await first.ended;
  const answered = async () => {
    for (;;) {
      const { socket, ended } = exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      const text = await ended;
      socket.destroy();
      if (text !== "") return text;
    }
  };
  expect(await answered()).toMatch(/^HTTP\/1\.1 200 OK/);
});
