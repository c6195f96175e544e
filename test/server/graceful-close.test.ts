import { once } from "node:events";
import { ServerResponse } from "node:http";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { NodeResponse } from "../../src/server/normalize-request.ts";
import type { OnePortOptions } from "../../src/server/one-port.ts";
import { connectHttp2, exchangeRaw, openTestPort, readAnswer, type TestPort } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Long enough that a test which waits for it fails by its own time limit. */
const FOREVER_MS = 600_000;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

interface SlowPort extends TestPort {
  /** The next request that reaches the handler, to be answered by the test. */
  next(): Promise<NodeResponse>;
}

async function openSlow(overrides: Partial<OnePortOptions> = {}): Promise<SlowPort> {
  const arrived: NodeResponse[] = [];
  let wake = () => {};
  const port = await openTestPort({
    onRequest: (_request, response) => {
      arrived.push(response);
      wake();
    },
    ...overrides,
  });
  cleanups.push(() => port.close(0));
  const next = async () => {
    for (;;) {
      const response = arrived.shift();
      if (response !== undefined) return response;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { ...port, next };
}

/** A port that closes still serves what waits to be accepted. */
async function isOpen(port: TestPort): Promise<boolean> {
  return (await exchangeRaw(port, "GET // HTTP/1.1\r\nHost: a\r\n\r\n").ended) !== "";
}

describe("requests in progress", () => {
  test("over HTTP/1.1 are finished with Connection: close", async () => {
    const port = await openSlow();
    const { ended } = exchangeRaw(port, GET);
    const response = await port.next();
    const closing = port.close(FOREVER_MS);
    await expect.poll(() => isOpen(port)).toBe(false);
    response.end("finished");
    expect(await ended).toMatch(/\r\nConnection: close\r\n.*finished$/s);
    await closing;
  });

  test("over HTTP/1.1 with an answer already begun are finished, and the connection closes", async () => {
    const port = await openSlow();
    const { socket, ended } = exchangeRaw(port, GET);
    const response = await port.next();
    response.setHeader("Content-Length", "8");
    if (response instanceof ServerResponse) response.flushHeaders();
    await once(socket, "data");
    const closing = port.close(FOREVER_MS);
    response.end("finished");
    expect(await ended).toMatch(/\r\nConnection: keep-alive\r\n.*finished$/s);
    await closing;
  });

  test("over HTTP/2 are finished, and no new ones are accepted", async () => {
    const port = await openSlow();
    const session = connectHttp2(port.url);
    const answer = readAnswer(session.request({ ":path": "/" }));
    const response = await port.next();
    const goaway = once(session, "goaway");
    const closing = port.close(FOREVER_MS);
    await goaway;
    expect((await readAnswer(session.request({ ":path": "/" }))).status).toBeUndefined();
    await expect.poll(() => isOpen(port)).toBe(false);
    response.end("finished");
    expect(await answer).toEqual({ status: 200, body: "finished", resetCode: 0 });
    await closing;
  });

  test.each(["http/1.1", "h2"])("over TLS are finished (%s)", async (protocol) => {
    const tls = makeSelfSignedCertificate();
    const port = await openSlow({ tls });
    if (protocol === "h2") {
      const session = connectHttp2(port.url, tls.cert);
      const answer = readAnswer(session.request({ ":path": "/" }));
      const response = await port.next();
      const closing = port.close(FOREVER_MS);
      response.end("finished");
      expect(await answer).toMatchObject({ status: 200, body: "finished" });
      await closing;
    } else {
      const socket = connectTls({ port: port.address.port, host: port.address.host, ca: tls.cert }, () =>
        socket.write(GET),
      );
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk;
      });
      const response = await port.next();
      const closing = port.close(FOREVER_MS);
      response.end("finished");
      await once(socket, "close");
      expect(received).toMatch(/finished$/);
      await closing;
    }
  });

  test.each([
    ["HTTP/1.1", GET, /^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*answered$/s],
    // The preface, the settings, and `GET /` (RFC 7541, indexed fields) with an authority.
    [
      "HTTP/2",
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a`,
      /answered/,
    ],
  ])("that arrive on a connection while the port closes are answered (%s)", async (_protocol, text, expected) => {
    const port = await openSlow();
    const { socket, ended } = exchangeRaw(port, "");
    await once(socket, "connect");
    const closing = port.close(FOREVER_MS);
    socket.write(text, "latin1");
    (await port.next()).end("answered");
    expect(await ended).toMatch(expected);
    await closing;
  });

  test("are cut off when the time is up", async () => {
    const port = await openSlow();
    const { ended } = exchangeRaw(port, GET);
    await port.next();
    const session = connectHttp2(port.url);
    const answer = readAnswer(session.request({ ":path": "/" }));
    await port.next();
    const since = performance.now();
    await port.close(300);
    expect(performance.now() - since).toBeGreaterThan(250);
    expect(performance.now() - since).toBeLessThan(3_000);
    expect(await ended).toBe("");
    expect((await answer).status).toBeUndefined();
  });

  test("do not keep idle connections open", async () => {
    const port = await openSlow();
    const { ended: busy } = exchangeRaw(port, GET);
    const response = await port.next();
    const { socket, ended: idle } = exchangeRaw(port, GET);
    (await port.next()).end("answered");
    await once(socket, "data");
    const { ended: silent } = exchangeRaw(port, "");
    const session = connectHttp2(port.url);
    await once(session, "remoteSettings");
    const sessionEnded = once(session, "close");

    const closing = port.close(FOREVER_MS);
    expect(await idle).toMatch(/answered$/);
    expect(await silent).toBe("");
    await sessionEnded;
    response.end("finished");
    expect(await busy).toMatch(/finished$/);
    await closing;
  });
});

describe("a port that drains", () => {
  const answer = (response: NodeResponse, text: string) => {
    response.setHeader("Content-Length", `${text.length}`);
    response.end(text);
  };
  const connectionsOf = (received: string) =>
    [...received.matchAll(/^Connection: (.*)\r$/gm)].map(([, value]) => value);

  test("ends each connection with its next answer over HTTP/1.1, and accepts others", async () => {
    const port = await openSlow();
    const kept = exchangeRaw(port, GET);
    answer(await port.next(), "before");
    await once(kept.socket, "data");
    port.drain();
    kept.socket.write(GET);
    answer(await port.next(), "during");
    expect(connectionsOf(await kept.ended)).toEqual(["keep-alive", "close"]);
    const fresh = exchangeRaw(port, GET);
    answer(await port.next(), "fresh");
    expect(connectionsOf(await fresh.ended)).toEqual(["close"]);
  });

  test("keeps a connection whose answer has promised it, and ends it with the next one", async () => {
    const port = await openSlow();
    const { socket, ended } = exchangeRaw(port, GET);
    const response = await port.next();
    response.setHeader("Content-Length", "4");
    if (response instanceof ServerResponse) response.flushHeaders();
    await once(socket, "data");
    port.drain();
    response.end("kept");
    await once(socket, "data");
    socket.write(GET);
    answer(await port.next(), "last");
    expect(connectionsOf(await ended)).toEqual(["keep-alive", "close"]);
  });

  test("answers all requests that came one behind the other, and ends with the last", async () => {
    const port = await openSlow();
    const { ended } = exchangeRaw(port, GET.repeat(3));
    const responses = [await port.next(), await port.next(), await port.next()];
    port.drain();
    for (const response of responses) answer(response, "answered");
    expect(connectionsOf(await ended)).toEqual(["keep-alive", "keep-alive", "close"]);
  });

  test("carries out nothing that comes behind an answer that ends the connection", async () => {
    const port = await openTestPort({
      onRequest: (request, response) => {
        port.handled.push(request.url ?? "");
        if (response instanceof ServerResponse) response.write("begun");
        begun.resolve(response);
      },
    });
    cleanups.push(() => port.close(0));
    const begun = Promise.withResolvers<NodeResponse>();
    port.drain();
    const { socket, ended } = exchangeRaw(port, GET);
    await once(socket, "data");
    socket.write("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    socket.write("dy");
    // On a connection of its own, and read later.
    expect(await isOpen(port)).toBe(true);
    (await begun.promise).end();
    expect(await ended).toMatch(/\r\nConnection: close\r\n.*begun.*\r\n0\r\n\r\n$/s);
    expect(port.handled).toEqual(["/"]);
  });

  test("bears a client that leaves behind an answer that ends the connection", async () => {
    const port = await openSlow();
    port.drain();
    const { socket } = exchangeRaw(port, GET);
    const response = await port.next();
    if (response instanceof ServerResponse) response.flushHeaders();
    await once(socket, "data");
    socket.write("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    expect(await isOpen(port)).toBe(true);
    const left = response instanceof ServerResponse && once(response, "close");
    socket.resetAndDestroy();
    await left;
    expect(port.errors).toEqual([]);
    expect(await isOpen(port)).toBe(true);
  });

  test("leaves HTTP/2 as it is", async () => {
    const port = await openSlow();
    port.drain();
    const session = connectHttp2(port.url);
    for (const text of ["one", "two"]) {
      const answered = readAnswer(session.request({ ":path": "/" }));
      answer(await port.next(), text);
      expect(await answered).toEqual({ status: 200, body: text, resetCode: 0 });
    }
  });
});

describe("a close", () => {
  test("waits for the rest of a request that has begun to arrive on a kept connection", async () => {
    const port = await openSlow();
    const { socket, ended } = exchangeRaw(port, GET);
    (await port.next()).end("first");
    await once(socket, "data");
    socket.write(GET.slice(0, 20));
    // On a connection of its own, and read later.
    expect(await isOpen(port)).toBe(true);
    const closing = port.close(FOREVER_MS);
    await expect.poll(() => isOpen(port)).toBe(false);
    socket.write(GET.slice(20));
    (await port.next()).end("second");
    expect(await ended).toMatch(/second$/);
    await closing;
  });

  test("waits for the request of a new connection over TLS", async () => {
    const tls = makeSelfSignedCertificate();
    const port = await openSlow({ tls });
    const socket = connectTls({ port: port.address.port, host: port.address.host, ca: tls.cert });
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    await once(socket, "secureConnect");
    const closing = port.close(FOREVER_MS);
    socket.write(GET);
    (await port.next()).end("answered");
    await once(socket, "close");
    expect(received).toMatch(/answered$/);
    await closing;
  });
});

test("the close does not wait for a client that keeps its side open", async () => {
  const port = await openSlow();
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
  const { socket } = exchangeRaw(port, preface);
  socket.allowHalfOpen = true;
  await once(socket, "data");
  const since = performance.now();
  await port.close(FOREVER_MS);
  expect(performance.now() - since).toBeLessThan(3_000);
  socket.destroy();
});

test("the close does not wait for a TLS handshake", async () => {
  const port = await openSlow({ tls: makeSelfSignedCertificate() });
  const { socket, ended } = exchangeRaw(port, "\x16\x03\x01");
  await once(socket, "connect");
  // The server has accepted it when it answers another one that came later.
  expect(await exchangeRaw(port, "nonsense").ended).not.toContain("HTTP");
  await port.close(FOREVER_MS);
  await ended;
});

test("closing again returns the same promise, and may shorten the time", async () => {
  const port = await openSlow();
  const { ended } = exchangeRaw(port, GET);
  await port.next();
  const closing = port.close(FOREVER_MS);
  expect(port.close(0)).toBe(closing);
  await closing;
  await ended;
});
