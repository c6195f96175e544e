import { execFile } from "node:child_process";
import { once } from "node:events";
import { request as requestHttp1, ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { OnePortOptions } from "../../src/server/one-port.ts";
import { connectHttp2, exchangeRaw, openTestPort, readAnswer, requestHttp2, type TestPort } from "./port-fixture.ts";
import { makeSelfSignedCertificate } from "./self-signed-certificate.ts";

const opened: TestPort[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((port) => port.close(0)));
});

async function open(overrides: Partial<OnePortOptions> = {}): Promise<TestPort> {
  const port = await openTestPort(overrides);
  opened.push(port);
  return port;
}

interface Http1Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function request(
  url: string,
  options: { method?: string; headers?: Record<string, string>; ca?: Buffer } = {},
  body = "",
) {
  return new Promise<Http1Answer>((resolve, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp1;
    const outgoing = send(url, { agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: text }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function curl(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("curl", ["-sS", ...args], (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}
const hasCurl = await curl("--version").then(
  () => true,
  () => false,
);

describe("without TLS", () => {
  test("HTTP/1.1 and HTTP/2 on the same port", async () => {
    const port = await open();
    expect(port.url).toBe(`http://127.0.0.1:${port.address.port}`);
    const one = await request(`${port.url}/one?a=b`, { method: "POST" }, "body");
    expect(one).toEqual({ status: 200, body: '{"method":"POST","target":"/one?a=b","protocol":"1.1","bytes":4}' });
    const two = await requestHttp2(port.url, { ":method": "POST", ":path": "/two?a=b" }, "body");
    expect(two).toMatchObject({
      status: 200,
      body: '{"method":"POST","target":"/two?a=b","protocol":"2.0","bytes":4}',
    });
  });

  test("bodies larger than any buffer arrive whole, over both protocols", async () => {
    const port = await open();
    const body = Buffer.alloc(3_000_000, "x");
    expect(JSON.parse((await request(`${port.url}/`, { method: "POST" }, body.toString())).body).bytes).toBe(3_000_000);
    const answer = await requestHttp2(port.url, { ":method": "POST", ":path": "/" }, body);
    expect(JSON.parse(answer.body).bytes).toBe(3_000_000);
  });

  test("a protocol is recognised even if its first bytes come one by one", async () => {
    const port = await open();
    const { socket, ended } = exchangeRaw(port, "");
    for (const character of "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok") {
      await new Promise((resolve) => socket.write(character, resolve));
    }
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK.*"bytes":2/s);
  });

  test("many requests on one connection, in sequence and at once", async () => {
    const port = await open();
    const session = connectHttp2(port.url);
    const answers = Array.from({ length: 300 }, (_, index) => readAnswer(session.request({ ":path": `/${index}` })));
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    session.destroy();

    const pipelined = Array.from({ length: 50 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
    const { ended } = exchangeRaw(port, `${pipelined}GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const targets = [...(await ended).matchAll(/"target":"\/(\w+)"/g)].map((match) => match[1]);
    expect(targets).toEqual([...Array.from({ length: 50 }, (_, index) => String(index)), "last"]);
  });

  test.skipIf(!hasCurl)("curl: HTTP/1.0, 1.1, an upgrade that is not taken, and 2", async () => {
    const port = await open();
    const versions: string[] = [];
    for (const flag of ["--http1.0", "--http1.1", "--http2", "--http2-prior-knowledge"]) {
      versions.push(JSON.parse(await curl(flag, `${port.url}/`)).protocol);
    }
    expect(versions).toEqual(["1.0", "1.1", "1.1", "2.0"]);
  });

  // In any case (RFC 9110 §10.1.1).
  test.each(["100-continue", "100-Continue"])("Expect: %s is answered before the body is sent", async (expectation) => {
    const port = await open();
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\nExpect: ${expectation}\r\n\r\n`;
    const { socket, ended } = exchangeRaw(port, head);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write("ok");
    expect(await ended).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);

    const session = connectHttp2(port.url);
    const stream = session.request({ ":method": "POST", ":path": "/", expect: expectation });
    const answer = readAnswer(stream);
    await new Promise((resolve) => stream.once("continue", resolve));
    stream.end("ok");
    expect(await answer).toMatchObject({ status: 200, body: expect.stringContaining('"bytes":2') });
    session.destroy();
  });

  test("idle connections are kept for more than the ten minutes of load balancers, which so never use a closing one", async () => {
    const { ended } = exchangeRaw(await open(), "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    const [, seconds] = /\r\nKeep-Alive: timeout=(\d+)\r\n/.exec(await ended) ?? [];
    expect(Number(seconds)).toBeGreaterThan(600);
  });

  test("a port that is in use is refused", async () => {
    const port = await open();
    await expect(open({ port: port.address.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("the URL of an IPv6 address has brackets", async () => {
    const port = await open({ host: "::1" });
    expect(port.url).toBe(`http://[::1]:${port.address.port}`);
    expect(await request(`${port.url}/`)).toMatchObject({ status: 200 });
  });
});

describe("TLS", () => {
  const tls = makeSelfSignedCertificate();

  test("HTTP/1.1 and HTTP/2 by ALPN", async () => {
    const port = await open({ tls });
    expect(port.url).toBe(`https://127.0.0.1:${port.address.port}`);
    expect(await request(`${port.url}/`, { ca: tls.cert })).toMatchObject({
      status: 200,
      body: expect.stringContaining('"protocol":"1.1"'),
    });
    expect(await requestHttp2(port.url, { ":path": "/" }, undefined, tls.cert)).toMatchObject({
      status: 200,
      body: expect.stringContaining('"protocol":"2.0"'),
    });
  });

  test("a client without ALPN gets HTTP/1.1, and an error if it speaks HTTP/2", async () => {
    const port = await open({ tls });
    const talk = (text: string) =>
      new Promise<string>((resolve) => {
        let received = "";
        const socket = connectTls({ port: port.address.port, host: "127.0.0.1", ca: tls.cert }, () =>
          socket.write(text),
        );
        socket.on("data", (chunk) => {
          received += chunk;
        });
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(received));
      });
    expect(await talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await talk("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toMatch(/^(HTTP\/1\.1 400 .*)?$/s);
    expect(await talk("\0\0\0\0")).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("a plain HTTP request gets an explanation, and ends its connection, not the process", async () => {
    const port = await open({ tls });
    expect(await exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").ended).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchangeRaw(port, "nothing that TLS or HTTP begins with\r\n\r\n").ended).not.toContain("HTTP");
    expect(await request(`${port.url}/`, { ca: tls.cert })).toMatchObject({ status: 200 });
  });

  test("another certificate is shown to new connections; those that are open go on", async () => {
    const port = await open({ tls });
    const session = connectHttp2(port.url, tls.cert);
    const renewed = makeSelfSignedCertificate();
    const statusOf = async () => {
      const [headers] = await once(session.request({ ":path": "/" }).resume(), "response");
      return headers[":status"];
    };
    expect(await statusOf()).toBe(200);
    port.useCertificate({ cert: renewed.cert.toString(), key: renewed.key.toString() });
    expect(await request(`${port.url}/`, { ca: renewed.cert })).toMatchObject({ status: 200 });
    await expect(request(`${port.url}/`, { ca: tls.cert })).rejects.toThrow(/self-signed/);
    expect(await requestHttp2(port.url, { ":path": "/" }, undefined, renewed.cert)).toMatchObject({ status: 200 });
    expect(await statusOf()).toBe(200);
    session.destroy();
  });

  test("an invalid certificate is refused at once", async () => {
    await expect(open({ tls: { cert: Buffer.from("no"), key: tls.key } })).rejects.toThrow();
  });
});

describe("handlers that fail", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("thrown");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("rejected");
      },
    ],
  ])("one that %s is reported, and answered with 500", async (_name, onRequest) => {
    const port = await open({ onRequest });
    expect(await request(`${port.url}/`)).toMatchObject({ status: 500 });
    expect(await requestHttp2(port.url, { ":path": "/" })).toMatchObject({ status: 500 });
    expect(port.errors).toHaveLength(2);
  });

  test("one that fails during its answer closes the connection, so that a partial answer is not taken for a whole one", async () => {
    const port = await open({
      onRequest: (_request, response) => {
        response.setHeader("Content-Length", "10");
        response.statusCode = 200;
        if (response instanceof ServerResponse) response.write("half");
        throw new Error("thrown");
      },
    });
    await expect(request(`${port.url}/`)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(port.errors).toHaveLength(1);
  });
});
