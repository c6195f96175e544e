import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type CustomerPost, customerPoster } from "../../src/outgoing/post-to-customer.ts";
import type { ResolveAddresses } from "../../src/outgoing/resolve-addresses.ts";
import { parseIpRange } from "../../src/server/ip-range.ts";
import { makeCertificate } from "../support/certificates.ts";

const authority = makeCertificate({ commonName: "authority", isAuthority: true });
const certificate = makeCertificate({ commonName: "receiver", names: ["hooks.example"], issuer: authority });
const defaultAuthorities = getCACertificates("default");

beforeAll(() => setDefaultCACertificates([...defaultAuthorities, authority.cert.toString()]));
afterAll(() => setDefaultCACertificates(defaultAuthorities));

/** 127.0.0.2 stands for a public address: the rest of this machine is refused. */
const publicRange = parseIpRange("127.0.0.2");
const rules = { allowedNetworks: typeof publicRange === "string" ? [] : [publicRange], allowsLoopback: false };
const onThisMachine = { allowedNetworks: [], allowsLoopback: true };

async function listen(server: Server | TcpServer, host = "127.0.0.1", port = 0): Promise<number> {
  await once(server.listen(port, host), "listening");
  onTestFinished(() => {
    if ("closeAllConnections" in server) {
      server.closeAllConnections();
    }
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const listenTls = (listener: RequestListener, { host = "127.0.0.2", port = 0, cert = certificate } = {}) =>
  listen(createTlsServer({ cert: cert.cert, key: cert.key }, listener), host, port);

function post(url: string, changes: Partial<CustomerPost> = {}): CustomerPost {
  return { url, headers: {}, body: Buffer.from("{}"), signal: new AbortController().signal, ...changes };
}

const resolveTo =
  (...addresses: readonly string[]): ResolveAddresses =>
  async () =>
    addresses;

const notAllowed = { kind: "unanswered", reason: "the address of the receiver is not allowed: it is not public" };

describe("the address is judged when it is connected to", () => {
  test("a name that resolves to a public address first and to this machine the second time is not connected to the second time", async () => {
    const reached = vi.fn<(address: string | undefined) => void>();
    const listener: RequestListener = (request, response) => {
      reached(request.socket.localAddress);
      response.end("hello");
    };
    const port = await listenTls(listener);
    await listenTls(listener, { host: "127.0.0.1", port });
    const resolve = vi.fn<ResolveAddresses>();
    resolve
      .mockResolvedValueOnce(["127.0.0.2"])
      .mockResolvedValueOnce(["127.0.0.1"])
      .mockResolvedValueOnce(["127.0.0.2"]);
    const send = customerPoster({ rules, resolve });

    const url = `https://hooks.example:${port}/`;
    expect(await send(post(url))).toEqual({ kind: "answered", status: 200, body: "hello" });
    expect(await send(post(url))).toEqual(notAllowed);
    expect(await send(post(url))).toMatchObject({ kind: "answered", status: 200 });
    expect(resolve).toHaveBeenCalledTimes(3);
    expect(reached.mock.calls).toEqual([["127.0.0.2"], ["127.0.0.2"]]);
  });

  test("of several addresses only the allowed ones are tried", async () => {
    const reached = vi.fn<() => void>();
    const port = await listenTls((_, response) => void response.end());
    const stranger = createTcpServer((socket) => {
      reached();
      socket.destroy();
    });
    await listen(stranger, "127.0.0.1", port);
    const resolve = resolveTo("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "127.0.0.2");
    const answer = await customerPoster({ rules, resolve })(post(`https://hooks.example:${port}/`));
    expect(answer).toMatchObject({ status: 200 });
    expect(reached).not.toHaveBeenCalled();
  });

  test("a second address is tried if the first refuses", async () => {
    const port = await listenTls((_, response) => void response.end(), { host: "127.0.0.3" });
    const both = parseIpRange("127.0.0.2/31");
    const allowedNetworks = typeof both === "string" ? [] : [both];
    const send = customerPoster({
      rules: { allowedNetworks, allowsLoopback: false },
      resolve: resolveTo("127.0.0.2", "127.0.0.3"),
    });
    expect(await send(post(`https://hooks.example:${port}/`))).toMatchObject({ status: 200 });
  });

  test.each([
    "https://127.0.0.1",
    "https://2130706433",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://127.0.0.1.",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[64:ff9b::7f00:1]",
    "https://localhost",
    "https://localhost.",
    "https://hooks.localhost",
    "http://127.0.0.2",
  ])("%s is refused without a connection and without DNS", async (origin) => {
    const reached = vi.fn<() => void>();
    const server = createTcpServer((socket) => {
      reached();
      socket.destroy();
    });
    const port = await listen(server, "::");
    const resolve = vi.fn<ResolveAddresses>();
    expect(await customerPoster({ rules, resolve })(post(`${origin}:${port}/`))).toEqual(notAllowed);
    expect(reached).not.toHaveBeenCalled();
    expect(resolve).not.toHaveBeenCalled();
  });

  test("a redirection is an answer, and is not followed", async () => {
    const reached = vi.fn<() => void>();
    const inside = await listen(createServer(() => reached()));
    const port = await listenTls((_, response) => {
      response.writeHead(307, { Location: `http://127.0.0.1:${inside}/` }).end();
    });
    const send = customerPoster({ rules, resolve: resolveTo("127.0.0.2") });
    expect(await send(post(`https://hooks.example:${port}/`))).toEqual({ kind: "answered", status: 307, body: "" });
    expect(reached).not.toHaveBeenCalled();
  });

  test("every attempt has a connection of its own", async () => {
    const ports = new Set<number | undefined>();
    const port = await listenTls((request, response) => {
      ports.add(request.socket.remotePort);
      response.setHeader("Connection", "keep-alive").end("ok");
    });
    const send = customerPoster({ rules, resolve: resolveTo("127.0.0.2") });
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await send(post(`https://hooks.example:${port}/`))).toMatchObject({ status: 200 });
    }
    expect(ports.size).toBe(3);
  });

  test("the environment's proxies are not used", async () => {
    const reached = vi.fn<() => void>();
    const proxy = await listen(createServer(() => reached()).on("connect", () => reached()));
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"]) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy}`);
    }
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    onTestFinished(() => void vi.unstubAllEnvs());
    const port = await listenTls((_, response) => void response.end());
    const send = customerPoster({ rules, resolve: resolveTo("127.0.0.2") });
    expect(await send(post(`https://hooks.example:${port}/`))).toMatchObject({ status: 200 });
    expect(reached).not.toHaveBeenCalled();
  });
});

describe("TLS", () => {
  test.each([
    ["another name", makeCertificate({ commonName: "x", names: ["other.example"], issuer: authority })],
    ["an unknown authority", makeCertificate({ commonName: "x", names: ["hooks.example"] })],
    ["a past end", makeCertificate({ commonName: "x", names: ["hooks.example"], issuer: authority, expiresAtMs: 0 })],
  ])("a certificate with %s is refused, even if the environment switches the check off", async (_, cert) => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const reached = vi.fn<() => void>();
    const port = await listenTls(reached, { cert });
    const answer = await customerPoster({ rules, resolve: resolveTo("127.0.0.2") })(
      post(`https://hooks.example:${port}/`),
    );
    expect(answer).toEqual({
      kind: "unanswered",
      reason: expect.stringMatching(/^the certificate of the receiver is not valid \([A-Z_]+\)$/),
    });
    expect(reached).not.toHaveBeenCalled();
  });

  test("a certificate of an address is accepted for that address", async () => {
    const cert = makeCertificate({ commonName: "x", names: ["127.0.0.2"], issuer: authority });
    const port = await listenTls((_, response) => void response.end(), { cert });
    expect(await customerPoster({ rules })(post(`https://127.0.0.2:${port}/`))).toMatchObject({ status: 200 });
  });
});

describe("what is sent and kept", () => {
  const send = customerPoster({ rules: onThisMachine, timeoutMs: 500 });

  test("the request has the headers, the path with its query, and the body byte for byte", async () => {
    const received = vi.fn<(request: object) => void>();
    const port = await listen(
      createServer(async (request, response) => {
        const { method, url, headers } = request;
        received({ method, url, headers, body: Buffer.concat(await request.toArray()).toString() });
        response.writeHead(202).end();
      }),
    );
    const headers = { "Content-Type": "application/json", "webhook-id": "evt_1" };
    await send(post(`http://localhost:${port}/a%20b?c=d`, { headers, body: Buffer.from('{"é":1}') }));
    expect(received).toHaveBeenCalledWith({
      method: "POST",
      url: "/a%20b?c=d",
      headers: {
        host: `localhost:${port}`,
        "content-type": "application/json",
        "webhook-id": "evt_1",
        "content-length": "8",
        "accept-encoding": "identity",
        connection: "close",
      },
      body: '{"é":1}',
    });
  });

  test("the first 1024 bytes of the body are kept, whole characters, and reading stops", async () => {
    const sent = { bytes: 0, isClosed: false };
    const port = await listen(
      createServer((_, response) => {
        const write = () => {
          while (!response.destroyed && response.write(`x${"é".repeat(5_000)}`)) {
            sent.bytes += 10_001;
          }
        };
        response.on("drain", write);
        response.on("close", () => {
          sent.isClosed = true;
        });
        write();
      }),
    );
    expect(await send(post(`http://127.0.0.1:${port}/`))).toEqual({
      kind: "answered",
      status: 200,
      body: `x${"é".repeat(511)}`,
    });
    await vi.waitFor(() => expect(sent.isClosed).toBe(true), { timeout: 20_000 });
    expect(sent.bytes).toBeLessThan(20_000_000);
  });

  test("a body that is no text is kept as far as a database can", async () => {
    const port = await listen(createServer((_, response) => void response.end(Buffer.from([0x61, 0, 0xff, 0x62]))));
    expect(await send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ body: "a\uFFFD\uFFFDb" });
  });
});

describe("time", () => {
  test.each<[string, RequestListener]>([
    ["says nothing", () => undefined],
    [
      "sends one byte of its headers after the other",
      ({ socket }) => {
        socket.write("HTTP/1.1 200 OK\r\nX: ");
        const timer = setInterval(() => socket.write("a"), 20);
        socket.on("close", () => clearInterval(timer));
        socket.on("error", () => undefined);
      },
    ],
    [
      "sends interim answers for ever",
      ({ socket }, response) => {
        const timer = setInterval(() => response.writeProcessing(), 20);
        socket.on("close", () => clearInterval(timer));
      },
    ],
  ])("a receiver that %s ends with the time of the attempt", async (_, listener) => {
    const port = await listen(createServer(listener));
    const send = customerPoster({ rules: onThisMachine, timeoutMs: 200 });
    expect(await send(post(`http://127.0.0.1:${port}/`))).toEqual({
      kind: "unanswered",
      reason: "no answer within 0.2 s",
    });
  });

  test("an answer counts although its body does not end", async () => {
    const port = await listen(createServer((_, response) => void response.write("so far")));
    const send = customerPoster({ rules: onThisMachine, timeoutMs: 200 });
    expect(await send(post(`http://127.0.0.1:${port}/`))).toEqual({ kind: "answered", status: 200, body: "so far" });
  });

  test("a name server that stays silent ends with the time of the attempt", async () => {
    const send = customerPoster({ rules, resolve: () => new Promise(() => undefined), timeoutMs: 100 });
    expect(await send(post("https://hooks.example/"))).toEqual({
      kind: "unanswered",
      reason: "no answer within 0.1 s",
    });
  });

  test("an attempt that is aborted says so", async () => {
    const stop = new AbortController();
    const port = await listen(createServer(() => stop.abort()));
    const send = customerPoster({ rules: onThisMachine });
    const answer = await send(post(`http://127.0.0.1:${port}/`, { signal: stop.signal }));
    expect(answer).toEqual({ kind: "unanswered", reason: "the attempt was aborted" });
  });
});

describe("reasons", () => {
  const send = customerPoster({ rules: onThisMachine });

  async function answerOf(text: string) {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(text));
    });
    return send(post(`http://127.0.0.1:${await listen(server)}/`));
  }

  test("headers that are too long, and what is not HTTP, are no answers", async () => {
    const reason = "the answer of the receiver is not valid HTTP, or its headers are too long";
    expect(await answerOf(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(9_000)}\r\n\r\n`)).toEqual({
      kind: "unanswered",
      reason,
    });
    expect(await answerOf("SSH-2.0-OpenSSH_9.6\r\n")).toEqual({ kind: "unanswered", reason });
  });

  test("status 101 is an answer that ends the attempt, although nobody asked to switch", async () => {
    for (const headers of ["Upgrade: websocket\r\nConnection: Upgrade\r\n", ""]) {
      const ended = vi.fn<() => void>();
      const server = createTcpServer((socket) => {
        socket.on("error", () => undefined).on("close", ended);
        socket.once("data", () => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`));
      });
      const answer = await send(post(`http://127.0.0.1:${await listen(server)}/`));
      expect(answer).toEqual({ kind: "answered", status: 101, body: "" });
      await vi.waitFor(() => expect(ended).toHaveBeenCalled(), { timeout: 20_000 });
    }
  });

  test("a connection that is closed, or refused", async () => {
    expect(await answerOf("")).toEqual({
      kind: "unanswered",
      reason: "the receiver closed the connection without an answer",
    });
    const closed = createTcpServer();
    const port = await listen(closed);
    closed.close();
    await once(closed, "close");
    expect(await send(post(`http://127.0.0.1:${port}/`))).toEqual({
      kind: "unanswered",
      reason: "the receiver refused the connection",
    });
  });

  test("a name without an address", async () => {
    expect(await customerPoster({ rules, resolve: resolveTo() })(post("https://hooks.example/"))).toEqual({
      kind: "unanswered",
      reason: "the name of the receiver has no address",
    });
  });
});
