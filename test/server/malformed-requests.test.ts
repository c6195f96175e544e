import { once } from "node:events";
import { constants } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectHttp2, exchangeRaw, openTestPort, readAnswer, requestHttp2, type TestPort } from "./port-fixture.ts";

let port: TestPort;
beforeAll(async () => {
  port = await openTestPort({ timeouts: { firstByteMs: 2_000, headersMs: 2_000 } });
});
afterAll(async () => {
  await port.close(0);
  expect(port.errors).toEqual([]);
});

async function expectUnharmed(): Promise<void> {
  const answer = await exchangeRaw(port, "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ended;
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
}

const HOST = "Host: 127.0.0.1\r\n";
const KEEP_ALIVE = `${HOST}Connection: keep-alive\r\n`;
const BODY = `POST /body HTTP/1.1\r\n${HOST}`;

describe("HTTP/1.1", () => {
  test.each([
    ["no Host", "GET / HTTP/1.1\r\n\r\n"],
    ["Host: [", "GET / HTTP/1.1\r\nHost: [\r\n\r\n"],
    ["Host: a b", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
    ["a Host with a port out of range", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"],
    ["a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"],
    ["a Host that is not ASCII", "GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n"],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
    ["the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"],
    ["the target //", `GET // HTTP/1.1\r\n${HOST}\r\n`],
    ["a target with an authority", `GET //a/b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target with a backslash", `GET /\\a HTTP/1.1\r\n${HOST}\r\n`],
    ["a target in absolute form without a Host", "GET http://a/b HTTP/1.1\r\n\r\n"],
    ["a target in absolute form with two Hosts", "GET http://a/b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
    ["a target in absolute form with a malformed Host", "GET http://a/b HTTP/1.1\r\nHost: [\r\n\r\n"],
    ["a target in absolute form with an empty host", `GET http:///b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target in absolute form with a user", `GET http://u@a/b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target in absolute form with two slashes", `GET http://a//b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target in absolute form with a fragment", `GET http://a/b#c HTTP/1.1\r\n${HOST}\r\n`],
    ["a target of another scheme", `GET ftp://a/b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target in asterisk form, but for OPTIONS", `GET * HTTP/1.1\r\n${HOST}\r\n`],
    ["a target without a slash", `GET a HTTP/1.1\r\n${HOST}\r\n`],
    ["no target", `GET HTTP/1.1\r\n${HOST}\r\n`],
    ["a target with a NUL", `GET /\0 HTTP/1.1\r\n${HOST}\r\n`],
    ["a target with a space", `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ["a target that is not ASCII", `GET /\xfc HTTP/1.1\r\n${HOST}\r\n`],
    ["a path with half an escape", `GET /%2 HTTP/1.1\r\n${HOST}\r\n`],
    ["a path with an escape that is none", `GET /%zz HTTP/1.1\r\n${HOST}\r\n`],
    ["a path with an escape that is not UTF-8", `GET /%ff HTTP/1.1\r\n${HOST}\r\n`],
    ["a path with an escaped NUL", `GET /%00 HTTP/1.1\r\n${HOST}\r\n`],
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"],
    ["an Expect that is not 100-continue", `POST / HTTP/1.1\r\n${HOST}Expect: tea\r\nContent-Length: 0\r\n\r\n`],
    ["version 0.9", `GET / HTTP/0.9\r\n${HOST}\r\n`],
    ["version 2.0, in text", `GET / HTTP/2.0\r\n${HOST}\r\n`],
    ["an unknown version", `GET / HTTP/3.7\r\n${HOST}\r\n`],
    ["a header without a colon", `GET / HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`],
    ["a header without a name", `GET / HTTP/1.1\r\n${HOST}: value\r\n\r\n`],
    ["a header name with a space", `GET / HTTP/1.1\r\n${HOST}a b: c\r\n\r\n`],
    ["a header value with a NUL", `GET / HTTP/1.1\r\n${HOST}a: \0\r\n\r\n`],
    ["a folded header", `GET / HTTP/1.1\r\n${HOST}a: b\r\n c\r\n\r\n`],
    ["a bare carriage return", `GET / HTTP/1.1\r\n${HOST}a: b\rc: d\r\n\r\n`],
    ["two lengths", `${BODY}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["a length that is none", `${BODY}Content-Length: many\r\n\r\n`],
    ["a negative length", `${BODY}Content-Length: -1\r\n\r\n`],
    ["a length and chunks", `${BODY}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["an unknown transfer coding", `${BODY}Transfer-Encoding: tea\r\n\r\n`],
    ["chunks in a coding", `${BODY}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    ["chunks over HTTP/1.0", `POST / HTTP/1.0\r\n${KEEP_ALIVE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two media types", `GET / HTTP/1.1\r\n${HOST}Content-Type: text/plain\r\ncontent-type: application/json\r\n\r\n`],
    ["two credentials", `GET / HTTP/1.1\r\n${HOST}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`],
    ["a chunk size that is none", `${BODY}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ["a chunk longer than it says", `${BODY}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`],
    ["half of an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
    ["a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["bytes that are nothing", "\x00\x01\x02\x03\r\n\r\n"],
  ])("%s gets 400 and a JSON body, and the connection ends", async (_name, text) => {
    const before = port.handled.length;
    const answer = await exchangeRaw(port, text).ended;
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    const [, body] = answer.split("\r\n\r\n");
    expect(JSON.parse(/\{.*\}/s.exec(body ?? "")?.[0] ?? "")).toMatchObject({ error: { code: "invalid_request" } });
    // Those whose headers were in order were handed on before their body turned out not to be.
    if (!text.startsWith(BODY)) expect(port.handled).toHaveLength(before);
    await expectUnharmed();
  });

  test.each(["BREW / HTTP/1.1", "get / HTTP/1.1", "X-Y /a?b=c HTTP/1.0", "SETUP / HTTP/1.1", "\r\nBREW / HTTP/1.1"])(
    "a method that is not known gets 501, and the connection ends: %s",
    async (line) => {
      const answer = await exchangeRaw(port, `${line}\r\n${HOST}\r\n`).ended;
      expect(answer).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/);
      expect(answer).toContain("The request method is not known.");
    },
  );

  test.each(["gzip, chunked", "gzip\r\nTransfer-Encoding: chunked", "identity,chunked", "deflate, GZIP , Chunked"])(
    "a transfer coding that is not known, under the chunks, gets 501, and the connection ends: %s",
    async (codings) => {
      const before = port.handled.length;
      const answer = await exchangeRaw(port, `${BODY}Transfer-Encoding: ${codings}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`).ended;
      expect(answer).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n.*\r\nConnection: close\r\n/is);
      expect(answer).toContain("The only supported transfer coding is chunked.");
      expect(port.handled).toHaveLength(before);
      await expectUnharmed();
    },
  );

  test.each(["chunked", "Chunked", ", chunked"])("chunks are known: %j", async (coding) => {
    const request = `${BODY}Connection: close\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    expect(await exchangeRaw(port, request).ended).toMatch(/^HTTP\/1\.1 200 .*"bytes":2/s);
  });

  test("a repeated header with the same media type or credential counts once", async () => {
    const header = "Content-Type: text/plain\r\nAuthorization: Bearer a\r\n";
    const request = `GET / HTTP/1.1\r\n${HOST}${header}${header}Connection: close\r\n\r\n`;
    expect(await exchangeRaw(port, request).ended).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("more than 16 KiB of headers get 431", async () => {
    const answer = await exchangeRaw(port, `GET / HTTP/1.1\r\n${HOST}a: ${"x".repeat(17_000)}\r\n\r\n`).ended;
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"message":"The request headers are too many or too long\."/s);
    const long = await exchangeRaw(port, `GET /${"x".repeat(17_000)} HTTP/1.1\r\n${HOST}\r\n`).ended;
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("more than 128 headers get 431, not a few of them", async () => {
    const withHeaders = (count: number) =>
      exchangeRaw(port, `GET / HTTP/1.1\r\n${"a:\r\n".repeat(count - 2)}${HOST}Connection: close\r\n\r\n`).ended;
    expect(await withHeaders(128)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await withHeaders(129)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await withHeaders(5_000)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("malformed input after a request in progress is refused after its answer", async () => {
    let answer = () => undefined as unknown;
    const slow = await openTestPort({
      onRequest: (_request, response) => {
        response.statusCode = 200;
        response.setHeader("Content-Length", "4");
        if ("flushHeaders" in response) response.flushHeaders();
        answer = () => response.end("done");
      },
    });
    const { socket, ended } = exchangeRaw(slow, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    await once(socket, "data");
    await new Promise<void>((resolve) => socket.write("nonsense\r\n\r\n", () => resolve()));
    answer();
    expect(await ended).toMatch(/^HTTP\/1\.1 200 [^{]*\r\n\r\ndoneHTTP\/1\.1 400 [^{]*\r\nConnection: close\r\n\r\n\{/);
    await slow.close(0);
  });

  const post = `POST /body HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n`;
  test.each([
    ["a request", `${post}{}nonsense\r\n\r\n`, [200, 400]],
    ["a request with a length that is too short", `${post}{ }`, [200, 400]],
    ["a request, of a method that is not known", `${post}{}BREW / HTTP/1.1\r\n${HOST}\r\n`, [200, 400]],
    ["several requests", `${`${post}{}`.repeat(3)}nonsense\r\n\r\n`, [200, 200, 200, 400]],
    ["a request that ends the connection", `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\nnonsense\r\n\r\n`, [200]],
  ])("malformed input does not cost earlier requests their answers: after %s", async (_what, text, statuses) => {
    const answers = (await exchangeRaw(port, text).ended).matchAll(/HTTP\/1\.1 (\d+) /g);
    expect(Array.from(answers, ([, status]) => Number(status))).toEqual(statuses);
  });

  test.each(["TRACE", "PROPFIND", "PUT"])("%s is a known method, and answered by path", async (method) => {
    const answer = await exchangeRaw(port, `${method} / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`).ended;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("an Upgrade header is ignored", async () => {
    const upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\n";
    expect(await exchangeRaw(port, `GET / HTTP/1.1\r\n${HOST}${upgrade}\r\n`).ended).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("a client that half-closes during a request ends the connection", async () => {
    for (const text of ["", "P", "GET / HT", `${BODY}Content-Length: 9\r\n\r\nhalf`]) {
      const { socket, ended } = exchangeRaw(port, text);
      socket.end();
      await ended;
    }
    await expectUnharmed();
  });
});

describe("HTTP/2", () => {
  test.each([
    ["a host with a bracket", { ":authority": "[" }],
    ["a host with a port out of range", { ":authority": "a:65536" }],
    ["two hosts", { ":authority": "a", host: "b" }],
    ["the target //", { ":path": "//" }],
    ["a target with an authority", { ":path": "//a/b" }],
    ["a target with a backslash", { ":path": "/\\a" }],
    ["a path with half an escape", { ":path": "/%2" }],
    ["a path with an escaped NUL", { ":path": "/%00" }],
    ["an Expect that is not 100-continue", { expect: "tea" }],
  ])("%s gets 400 and a JSON body", async (_name, headers) => {
    const before = port.handled.length;
    const { status, body } = await requestHttp2(port.url, { ":path": "/", ...headers });
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_request" } },
    });
    expect(port.handled).toHaveLength(before);
  });

  test.each([
    ["content-type", "There is more than one Content-Type header."],
    ["authorization", "There is more than one Authorization header."],
    ["accept", '"protocol":"2.0"'],
  ])("two headers of the name %s, with different values, get: %s", async (name, expected) => {
    const literal = (value: string) => `\0${String.fromCharCode(name.length)}${name}\x03${value}`;
    const block = Buffer.from(`\x82\x86\x84\x01\x01a${literal("a/a")}${literal("b/b")}`, "latin1");
    const bytes = Buffer.concat([frame(0, 4, 0, 0), frame(block.length, 1, 5, 1), block]);
    const exchange = exchangeRaw(port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${bytes.toString("latin1")}`);
    await expect.poll(() => exchange.received()).toContain(expected);
    exchange.socket.destroy();
  });

  test.each(["BREW", "get"])("an unknown method gets 501: %s", async (method) => {
    const { status, body } = await requestHttp2(port.url, { ":path": "/", ":method": method });
    expect([status, JSON.parse(body).error.message]).toEqual([501, "The request method is not known."]);
  });

  test.each([
    ["a host with a user", { ":authority": "a@b" }],
    ["an empty host", { ":authority": "" }],
    ["a target in absolute form", { ":path": "http://a/b" }],
    ["a target in asterisk form, but for OPTIONS", { ":path": "*" }],
  ])("%s is reset as malformed, as HTTP/2 requires", async (_name, headers) => {
    const { status, resetCode } = await requestHttp2(port.url, { ":path": "/", ...headers });
    expect({ status, resetCode }).toEqual({ status: undefined, resetCode: constants.NGHTTP2_PROTOCOL_ERROR });
  });

  test("the same host named twice is one host", async () => {
    const headers = { ":path": "/", ":authority": "a:80", host: "a:80" };
    expect(await requestHttp2(port.url, headers)).toMatchObject({ status: 200 });
  });

  test("CONNECT gets 400", async () => {
    const session = connectHttp2(port.url);
    const stream = session.request({ ":method": "CONNECT", ":authority": "a:443" });
    expect(await readAnswer(stream)).toMatchObject({ status: 400 });
    session.destroy();
  });

  test("more than 16 KiB of headers, or 128 of them, get 431 or a reset", async () => {
    expect(await requestHttp2(port.url, { ":path": "/", a: "x".repeat(20_000) })).toMatchObject({ status: 431 });
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`a${index}`, ""]));
    expect(await requestHttp2(port.url, { ":path": "/", ...many })).toMatchObject({ status: 431 });
    const more = await requestHttp2(port.url, { ":path": "/", a: "x".repeat(60_000), b: "x".repeat(60_000) });
    expect(more.status).toBeUndefined();
    await expectUnharmed();
  });

  test("a client with a hundred requests in progress has to wait with the next", async () => {
    let waiting: (() => void)[] = [];
    const slow = await openTestPort({ onRequest: (_request, response) => void waiting.push(() => response.end("ok")) });
    const session = connectHttp2(slow.url);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    const answers = Array.from({ length: 150 }, () => readAnswer(session.request({ ":path": "/" })));
    let answered = 0;
    while (answered < 150) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(waiting.length).toBeLessThanOrEqual(100);
      answered += waiting.length;
      for (const answer of waiting) answer();
      waiting = [];
    }
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    session.destroy();
    await slow.close(0);
  });

  test("rapid resets end the connection", async () => {
    const session = connectHttp2(port.url);
    await once(session, "remoteSettings");
    const closed = new Promise((resolve) => session.once("close", resolve));
    const timer = setInterval(() => {
      for (let count = 0; count < 90 && !session.closed && !session.destroyed; count += 1) {
        const stream = session.request({ ":path": "/", ":method": "POST" }, { endStream: false });
        stream.on("error", () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    }, 1);
    await closed;
    clearInterval(timer);
    await expectUnharmed();
  });

  test.each([
    ["a request", 0],
    ["one that expects 100 Continue", 1],
    ["CONNECT", 2],
  ])("%s that is reset at once is not handled", async (_name, kind) => {
    const method = kind === 2 ? "\x02\x07CONNECT" : "\x83";
    const path = kind === 2 ? "" : "\x86\x84";
    const expects = kind === 1 ? "\0\x06expect\x0c100-continue" : "";
    const block = Buffer.from(`${method}${path}\x01\x01a${expects}`, "latin1");
    const bytes = [
      frame(0, 4, 0, 0),
      frame(block.length, 1, 4, 1),
      block,
      frame(4, 3, 0, 1),
      Buffer.from("00000008", "hex"),
    ];
    const { socket, ended } = exchangeRaw(
      port,
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${Buffer.concat(bytes).toString("latin1")}`,
    );
    socket.end();
    await ended;
    await expectUnharmed();
  });

  test.each([
    ["garbage after the preface", Buffer.alloc(200, "garbage")],
    ["a frame longer than allowed", frame(0x7f_ff_ff, 0, 0, 0)],
    ["data on a stream that does not exist", Buffer.concat([frame(0, 4, 0, 0), frame(1, 0, 0, 1), Buffer.from("x")])],
    ["headers that are not HPACK", Buffer.concat([frame(0, 4, 0, 0), frame(4, 1, 5, 1), Buffer.alloc(4, 0xff)])],
    ["a continuation of nothing", Buffer.concat([frame(0, 4, 0, 0), frame(0, 9, 4, 1)])],
    ["headers without a method", Buffer.concat([frame(0, 4, 0, 0), frame(1, 1, 5, 1), Buffer.from([0x84])])],
    ["headers without a path", Buffer.concat([frame(0, 4, 0, 0), frame(2, 1, 5, 1), Buffer.from([0x82, 0x86])])],
    ["a window that overflows", Buffer.concat([frame(0, 4, 0, 0), frame(4, 8, 0, 0), Buffer.from("7fffffff", "hex")])],
    ["settings of a wrong length", frame(5, 4, 0, 0)],
  ])("%s does not affect other clients", async (_name, bytes) => {
    const before = port.handled.length;
    const { socket, ended } = exchangeRaw(port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${bytes.toString("latin1")}`);
    socket.end();
    await ended;
    expect(port.handled).toHaveLength(before);
    await expectUnharmed();
  });
});

/** The head of a frame: RFC 9113 §4.1. */
function frame(length: number, type: number, flags: number, stream: number): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head;
}
