import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createContextValues } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ServerRequest } from "../../src/server/server-request.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { exchangeRaw, openTestPort, type TestPort } from "./port-fixture.ts";

const INPUTS = fuzzRuns({ short: 2_000, long: 10_000 });
const CONNECTIONS = 32;
const SEED = 20_261_121;

let port: TestPort;
const reached = { "1": 0, "2": 0 };
beforeAll(async () => {
  port = await openTestPort({
    timeouts: { firstByteMs: 1_000, headersMs: 1_000, requestMs: 1_000, keepAliveMs: 1_000, stalledMs: 1_000 },
    // What the handlers of calls do with a request.
    onRequest: (request, response) => {
      reached[request.httpVersionMajor === 2 ? "2" : "1"] += 1;
      const received = new ServerRequest(request, response, createContextValues());
      new URL(received.url);
      expect(received.signal.aborted).toBe(false);
      received.body.read(1_000).catch(() => undefined);
      response.end("ok");
    },
  });
});
afterAll(() => port.close(0));

test(`${INPUTS} malformed inputs: no crash, no 500, nothing kept`, async () => {
  const random = createRandom(SEED);
  const statuses = new Map<string, number>();
  let sent = 0;
  const work = async (until: number) => {
    while (sent < until) {
      sent += 1;
      const answer = await send(makeInput(random));
      for (const [, status = ""] of answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
  };
  const workers = (until: number) => Promise.all(Array.from({ length: CONNECTIONS }, () => work(until)));
  await workers(INPUTS / 4);
  const before = heapBytes();
  await workers(INPUTS);
  const growth = heapBytes() - before;

  expect(port.errors).toEqual([]);
  // 501 is for methods that nobody knows.
  expect([...statuses.keys()].filter((status) => status.startsWith("5") && status !== "501")).toEqual([]);
  expect(growth).toBeLessThan(10 * 1024 * 1024);
  // The inputs are neither all nonsense nor all well-formed.
  expect(statuses.get("400")).toBeGreaterThan(INPUTS / 10);
  expect(reached["1"]).toBeGreaterThan(INPUTS / 50);
  expect(reached["2"]).toBeGreaterThan(INPUTS / 100);
  const { ended } = exchangeRaw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  expect(await ended).toMatch(/^HTTP\/1\.1 200 OK/);
}, 120_000);

/** Sends the input, ends our side, and waits until the server has ended its own. */
function send(input: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ port: port.address.port, host: port.address.host, allowHalfOpen: true });
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("end", () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(received));
    socket.end(input);
  });
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A uniform integer in [0, bound): mulberry32, so that a failure can be repeated. */
type Random = (bound: number) => number;

function createRandom(seed: number): Random {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[random(choices.length)] ?? choices[0];
}

/** Makes inputs that are wrong in few places: most of what is wrong in many never gets past the first check. */
function pickMostly<T>(random: Random, usual: T, choices: readonly [T, ...T[]]): T {
  return random(4) > 0 ? usual : pick(random, choices);
}

function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random(256)));
}

const VALUES = [
  "a",
  "",
  "[",
  "[::1",
  "a b",
  "a@b",
  "\0",
  "\xff",
  "%",
  "//",
  "*",
  "../..",
  "a:99999",
  "0",
  "-1",
  "1e9",
  "chunked",
  "gzip, chunked",
  "close",
  "upgrade",
  "h2c",
  "100-continue",
  "__proto__",
  "x".repeat(300),
  "x".repeat(20_000),
  "\t",
  "\r",
  "127.0.0.1",
] as const;
const NAMES = [
  "Host",
  "host",
  ":authority",
  "Content-Length",
  "Transfer-Encoding",
  "Connection",
  "Upgrade",
  "Expect",
  "__proto__",
  "a",
  "",
  " a",
  "constructor",
  "Cookie",
  "X-API-Key",
  "Authorization",
  "HTTP2-Settings",
  "Content-Type",
  "Trailer",
] as const;
const TARGETS = [
  "/",
  "//",
  "*",
  "/%",
  "/%zz",
  "/%00",
  "/%ff",
  "http://a/",
  "a",
  "",
  "/\\",
  "/#",
  "/?%",
  "/\xff",
  "/api/v1/verify/start",
  "/a b",
  "/byond.v1.VerifyService/StartVerification",
  "/..",
  `/${"a".repeat(300)}`,
  `/${"a".repeat(20_000)}`,
  "/?number=+65",
] as const;
const METHODS = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PRI",
  "BREW",
  "get",
  "",
  "\0",
  "M-SEARCH",
] as const;
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/0.9",
  "HTTP/1.",
  "",
  "ICE/1.0",
] as const;
const BODIES = [
  "",
  "{}",
  "0\r\n\r\n",
  "zz\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffffff\r\n",
  "\0\xff",
  "GET / HTTP/1.1\r\n\r\n",
] as const;

function makeInput(random: Random): Buffer {
  switch (random(8)) {
    case 0:
      return randomBytes(random, 1 + random(200));
    case 1:
    case 2:
      return mutate(random, makeHttp1(random));
    case 3:
      return Buffer.concat([makeHttp1(random), makeHttp1(random)]);
    case 4:
      return Buffer.concat([PREFACE, frame(0x4, 0, 0, Buffer.alloc(0)), makeFrames(random)]);
    case 5:
      return mutate(random, Buffer.concat([PREFACE, frame(0x4, 0, 0, Buffer.alloc(0)), makeFrames(random)]));
    default:
      return makeHttp1(random);
  }
}

function makeHttp1(random: Random): Buffer {
  const lines = [
    `${pickMostly(random, "POST", METHODS)} ${pickMostly(random, "/", TARGETS)} ${pickMostly(random, "HTTP/1.1", VERSIONS)}`,
  ];
  if (random(3) > 0) lines.push("Host: localhost");
  for (let count = random(4); count > 0; count -= 1) lines.push(`${pick(random, NAMES)}: ${pick(random, VALUES)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${pick(random, BODIES)}`, "latin1");
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function makeFrames(random: Random): Buffer {
  const frames: Buffer[] = [];
  for (let stream = 1; stream <= 1 + 2 * random(6); stream += 2) {
    const isRequest = random(3) > 0;
    const type = isRequest ? 1 : random(12);
    const flags = isRequest ? pickMostly(random, 5, [0, 1, 4, 8, 0x20, 0x2d]) : random(256);
    const payload = isRequest ? makeHeaderBlock(random) : randomBytes(random, random(40));
    frames.push(frame(type, flags, pickMostly(random, stream, [0, 1, 2, 0x7fffffff]), payload));
  }
  return Buffer.concat(frames);
}

/** A header block of literals without Huffman coding (RFC 7541 §6.2.2), so that the server gets to see the values. */
function makeHeaderBlock(random: Random): Buffer {
  const headers: [string, string][] = [
    [":method", pickMostly(random, "POST", METHODS)],
    [":scheme", "http"],
    [":path", pickMostly(random, "/", TARGETS)],
    [":authority", pickMostly(random, "a", VALUES)],
  ];
  if (random(3) === 0) headers.splice(random(4), 1);
  if (random(3) === 0) headers.push([pick(random, NAMES).toLowerCase(), pick(random, VALUES)]);
  const literals = headers.map(([name, value]) =>
    Buffer.concat([
      Buffer.from([0, Math.min(name.length, 126)]),
      Buffer.from(name),
      literalLength(value),
      Buffer.from(value, "latin1"),
    ]),
  );
  return Buffer.concat(literals);
}

function literalLength({ length }: string): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) bytes.push(0x80 | (rest & 0x7f));
  return Buffer.from([...bytes, rest]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function mutate(random: Random, input: Buffer): Buffer {
  let result = Buffer.from(input);
  for (let count = 1 + random(4); count > 0 && result.length > 0; count -= 1) {
    const position = random(result.length);
    switch (random(4)) {
      case 0:
        result[position] = random(256);
        break;
      case 1:
        result = result.subarray(0, position);
        break;
      case 2:
        result = Buffer.concat([
          result.subarray(0, position),
          randomBytes(random, random(8)),
          result.subarray(position),
        ]);
        break;
      default:
        result = Buffer.concat([result.subarray(0, position), result.subarray(random(position + 1))]);
    }
  }
  return result;
}
