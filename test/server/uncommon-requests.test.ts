/** Forms of requests that few clients send and that HTTP requires a server to accept. */
import { once } from "node:events";
import { ServerResponse } from "node:http";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import type { NodeResponse } from "../../src/server/normalize-request.ts";
import { useTestApp } from "../support/app.ts";
import { exchangeRaw, openTestPort, requestHttp2, type TestPort } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const app = useTestApp();

/** What the server says to a request of a client that sends it, ends its side, and reads. */
async function ask(text: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  socket.end(text);
  await once(socket, "close");
  return received;
}

const CLOSE = "Connection: close\r\n\r\n";

describe("a target in absolute form", () => {
  test.each([
    ["http://other.example/healthz", 200],
    ["HTTP://other.example:99/healthz?a=b", 200],
    ["https://other.example/healthz", 200],
    ["http://other.example", 302],
    ["http://other.example/api/v1/lookup?number=1", 401],
  ])("is served like its path: %s", async (target, status) => {
    expect(await ask(`GET ${target} HTTP/1.1\r\nHost: a\r\n${CLOSE}`)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("has query parameters, and reaches RPCs too", async () => {
    const key = await app.mintKey();
    const get = "GET http://a/api/v1/lookup?number=%2B6591234567 HTTP/1.1\r\nHost: a\r\n";
    expect(await ask(`${get}X-API-Key: ${key}\r\n${CLOSE}`)).toContain('"number_e164":"+6591234567"');
    const post =
      "POST http://a/byond.v1.LookupService/LookupNumber HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\n";
    const body = '{"number":"+6591234567"}';
    const sized = `Content-Length: ${body.length}\r\n${CLOSE}${body}`;
    expect(await ask(`${post}X-API-Key: ${key}\r\n${sized}`)).toContain('"numberE164":"+6591234567"');
  });

  test("replaces the Host header: /metrics is only served to loopback hosts", async () => {
    const metrics = (target: string, host: string) => ask(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}`);
    expect(await metrics("http://localhost/metrics", "evil.example")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await metrics("http://evil.example/metrics", "localhost")).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("OPTIONS *", () => {
  const allow = "DELETE, GET, HEAD, OPTIONS, PATCH, POST";

  test.each(["*", "http://other.example"])("gets the methods that the server accepts: %s", async (target) => {
    const answer = await ask(`OPTIONS ${target} HTTP/1.1\r\nHost: a\r\n${CLOSE}`);
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(answer).toContain(`\r\nAllow: ${allow}\r\n`);
  });

  test("a redirect answers OPTIONS with its methods", async () => {
    const answer = await fetch(`${app.url}/`, { method: "OPTIONS" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  });

  test("over HTTP/2 too", async () => {
    expect(await requestHttp2(app.url, { ":method": "OPTIONS", ":path": "*" })).toMatchObject({
      status: 204,
      body: "",
    });
  });
});

describe("a request without a host", () => {
  test.each([
    ["HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    ["HTTP/1.0 that asks for what a path takes, as load balancers do", "OPTIONS /api/v1/lookup HTTP/1.0\r\n\r\n", 204],
    ["HTTP/1.0 to the root, as HAProxy asks by default", "OPTIONS / HTTP/1.0\r\n\r\n", 204],
    ["HTTP/1.0 with an empty one", "GET /healthz HTTP/1.0\r\nHost:\r\n\r\n", 200],
    ["HTTP/1.1 with an empty one", `GET /healthz HTTP/1.1\r\nHost:\r\n${CLOSE}`, 200],
    ["HTTP/1.0 that asks the API", "GET /api/v1/lookup?number=1 HTTP/1.0\r\n\r\n", 401],
    ["HTTP/1.0 that asks for what this machine may read", "GET /metrics HTTP/1.0\r\n\r\n", 404],
    ["an empty one that asks for what this machine may read", `GET /metrics HTTP/1.1\r\nHost:\r\n${CLOSE}`, 404],
  ])("is served: %s", async (_what, text, status) => {
    expect(await ask(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

interface SlowPort extends TestPort {
  /** The first request's response, once it is handled. */
  readonly asked: Promise<NodeResponse>;
}

async function openSlow(overrides: Parameters<typeof openTestPort>[0] = {}): Promise<SlowPort> {
  const asked = Promise.withResolvers<NodeResponse>();
  const port = await openTestPort({ onRequest: (_request, response) => asked.resolve(response), ...overrides });
  return { ...port, asked: asked.promise };
}

describe("a client that half-closes after its request", () => {
  test.each([
    ["a GET", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 1],
    ["a POST with a body", "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 1],
    [
      "a POST in chunks",
      "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
      1,
    ],
    ["several requests ahead", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5), 5],
  ])("is answered, and then the connection closes: %s", async (_what, text, count) => {
    expect((await ask(text)).match(/\{"status":"ok"\}/g)).toHaveLength(count);
  });

  test("is answered after a call that takes a while", async () => {
    const key = await app.mintKey();
    const body = '{"channel":"email","recipient":"ada@example.com"}';
    const head = `POST /api/v1/verify/start HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\n`;
    expect(await ask(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 201 .*"vrf_/s);
  });

  test.each([["in the clear"], ["over TLS"]])("long before the answer, %s", async (how) => {
    const tls = how === "over TLS" ? makeSelfSignedCertificate() : undefined;
    const port = await openSlow(tls === undefined ? {} : { tls });
    const to = { port: port.address.port, host: port.address.host, allowHalfOpen: true };
    const socket = tls === undefined ? connect(to) : connectTls({ ...to, ca: tls.cert });
    let received = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
    });
    socket.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const response = await port.asked;
    if (!(response instanceof ServerResponse)) throw new Error("not HTTP/1.1");
    // The server knows by then.
    if (response.socket?.readableEnded !== true) await once(response.socket ?? socket, "end");
    response.end("late");
    await once(socket, "close");
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*late$/);
    await port.close(0);
  });

  test("before the headers of a stream counts as gone: the stream ends", async () => {
    const port = await openSlow();
    const { socket } = exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    socket.end();
    const response = await port.asked;
    if (!(response instanceof ServerResponse)) throw new Error("not HTTP/1.1");
    if (response.socket?.readableEnded !== true) await once(response.socket ?? socket, "end");
    const closed = once(response, "close");
    response.write("first");
    await closed;
    await port.close(0);
  });

  test("during a stream counts as gone: the stream ends", async () => {
    const port = await openSlow();
    const { socket } = exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const response = await port.asked;
    if (!(response instanceof ServerResponse)) throw new Error("not HTTP/1.1");
    response.write("first");
    await once(socket, "data");
    const closed = once(response, "close");
    socket.end();
    await closed;
    await port.close(0);
  });
});
