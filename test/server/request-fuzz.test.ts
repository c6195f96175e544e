/** Thousands of malformed requests at a server in a process of its own: never a 5xx, never a crash, memory steady. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

const script = fileURLToPath(new URL("../process/heap-reporting-server.ts", import.meta.url));

const requests = fuzzRuns({ short: 2_000, long: 10_000 });

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let server: ChildProcess;
let url: URL;
let log = "";
let key = "";
let session = "";
let verificationId = "";

beforeAll(async () => {
  database = await createMigratedDatabase();
  server = fork(script, {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      PORT: "0",
      SIGN_UP: "open",
      SIGN_UP_LIMIT: "1000000",
      // The requests are meant to get further than the quota.
      DEFAULT_TIER: "unlimited",
      BYOND_SECRET: "a secret of the tests that is long enough",
    },
  });
  server.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const [{ url: address }] = await once(server, "message");
  url = new URL(address);
  const post = async (path: string, headers: Record<string, string>, body: object) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return JSON.parse(await response.text());
  };
  const account = { email: "fuzz@example.com", password: "correct horse battery", name: "Fuzz" };
  session = (await post("/api/v1/auth/sign-up", {}, account)).access_token;
  key = (await post("/api/v1/api-keys", { Authorization: `Bearer ${session}` }, { name: "fuzz" })).key;
  const start = { channel: "sms", recipient: "+6591234567" };
  verificationId = (await post("/api/v1/verify/start", { "X-API-Key": key }, start)).verification_id;
});
afterAll(async () => {
  server.disconnect();
  await once(server, "exit");
  await database.drop();
});

async function heapBytes(): Promise<number> {
  server.send("measure");
  const [message] = await once(server, "message");
  return message.heapBytes;
}

/** Numbers that are random and always the same: mulberry32. */
function createRandom(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    chance: (probability: number) => next() < probability,
    pick: <T>(items: readonly [T, ...T[]]): T => items[below(items.length)] ?? items[0],
    bytes: (length: number) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
type Random = ReturnType<typeof createRandom>;

const paths = [
  "/api/v1/verify/start",
  "/api/v1/verify/check",
  "/api/v1/lookup",
  "/api/v1/api-keys",
  "/api/v1/api-keys/key_0000000000000000000000",
  "/api/v1/auth/sign-in",
  "/api/v1/auth/sign-up",
  "/byond.v1.VerifyService/StartVerification",
  "/byond.v1.VerifyService/CheckVerification",
  "/byond.v1.LookupService/LookupNumber",
  "/byond.v1.ApiKeyService/ListApiKeys",
  "/healthz",
  "/readyz",
  "/docs",
  "/openapi.json",
  "/",
] as const;
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"] as const;
const types = [
  "application/json",
  "application/json",
  "application/json",
  "application/json; charset=utf-8",
  'application/json; charset="',
  "application/proto",
  "application/grpc",
  "application/grpc-web+proto",
  "application/grpc-web-text",
  "application/connect+json",
  "multipart/form-data; boundary=",
  "text/plain",
  ";;;",
] as const;
const names = [
  "channel",
  "recipient",
  "brand",
  "code_length",
  "ttl_seconds",
  "verification_id",
  "code",
  "name",
  "scopes",
  "mode",
  "email",
  "password",
  "number",
  "country",
  "page_size",
  "page_token",
  "include_revoked",
  "__proto__",
  "constructor",
  "",
  "a.b.c",
  "scopes[0]",
] as const;
const texts = [
  "email",
  "sms",
  "fuzz@example.com",
  "+6591234567",
  "live",
  "verify",
  "*",
  "",
  "\0",
  "\ud800",
  "\udfff\ud800",
  "\u202e\u2066",
  "%s%n%x",
  "' OR 1=1; --",
  "{{7*7}}#{7*7}",
  "../../etc/passwd",
  "a\r\nSet-Cookie: b=c",
  "<script>",
  "🏴‍☠️".repeat(30),
  "\u0301".repeat(300),
  "x".repeat(300),
  "9".repeat(5_000),
  "NaN",
  "1e309",
  "-0",
  "true",
  "null",
] as const;

function anyValue(random: Random, depth = 0): unknown {
  switch (random.below(depth > 4 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick([0, -1, 4, 6, 300, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1.5, 1e300, -0]);
    case 6:
      return Array.from({ length: random.below(5) }, () => anyValue(random, depth + 1));
    case 7:
      return anyObject(random, depth + 1);
    case 8:
      return { scopes: [anyValue(random, depth + 1)] };
    default:
      return random.chance(0.1) ? random.bytes(random.below(40)).toString("latin1") : random.pick(texts);
  }
}

function anyObject(random: Random, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Array.from({ length: random.below(6) }, () => [random.pick(names), anyValue(random, depth)]),
  );
}

/** Text or bytes that are nearly what a handler wants. */
function anyBody(random: Random): Buffer {
  let text = JSON.stringify(anyObject(random));
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(300));
    case 1:
      return Buffer.concat([Buffer.from([random.below(4), 0, 0, 0, random.below(60)]), random.bytes(random.below(60))]);
    case 2:
      text = text.slice(0, random.below(text.length + 1));
      break;
    case 3:
      text = `${text.slice(0, -1)}${text === "{}" ? "" : ","}"channel":"email","channel":"sms"}`;
      break;
    case 4: {
      const bytes = Buffer.from(text);
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    }
    case 5:
      text = `${"[".repeat(random.below(2_000))}${text}`;
      break;
  }
  return Buffer.from(text);
}

const encode = (text: string) => encodeURIComponent(text.toWellFormed());

function anyTarget(random: Random): string {
  let target: string = random.pick(paths);
  if (random.chance(0.2)) {
    const cut = random.below(target.length) + 1;
    const inserted = random.pick(["/", "%", "%00", "%ff", "%2f", "..", ";", "*", "{id}", "%E0%A4", ":", "\\", "é"]);
    target = target.slice(0, cut) + inserted + target.slice(cut);
  }
  if (random.chance(0.4)) {
    const parameters = Array.from({ length: random.below(5) }, () => {
      const value = random.chance(0.3)
        ? random.pick(["%", "%zz", "%ff", "+", "=", "&", "%00"])
        : encode(random.pick(texts));
      return `${encode(random.pick(names))}=${value}`;
    });
    target += `?${parameters.join("&")}`;
  }
  return target.replace(/[^\x21-\x7e]/g, "");
}

function anyHeaders(random: Random): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const credential = random.below(8);
  if (credential < 4) headers["x-api-key"] = key;
  else if (credential === 4) headers.authorization = `Bearer ${session}`;
  else if (credential === 5) headers.authorization = `Bearer ${random.bytes(40).toString("base64")}`;
  else if (credential === 6) headers["x-api-key"] = key.slice(0, random.below(key.length)) + random.below(10);
  if (random.chance(0.9)) headers["content-type"] = random.pick(types);
  const extras: readonly [name: string, values: readonly [string, ...string[]]][] = [
    ["content-encoding", ["gzip", "br", "identity", "x", ","]],
    ["accept", ["*/*", "text/html", "application/json;q=0", "", ";;", "application/x-ndjson"]],
    ["accept-encoding", ["gzip", "br;q=x", "*;q=0", ","]],
    ["byond-envelope", ["true", "maybe", ""]],
    ["byond-version", ["1", "2026-01-01", "99999-99-99", "latest"]],
    ["idempotency-key", ["a", "", "\u00ff", "x".repeat(300), "same", "same"]],
    ["request-timeout", ["0", "-1", "1e9", "abc", "0.0001"]],
    ["connect-timeout-ms", ["1", "-1", "x", "9".repeat(30)]],
    ["connect-protocol-version", ["1", "2", ""]],
    ["grpc-timeout", ["1S", "1n", "x", "500H"]],
    ["grpc-encoding", ["gzip", "br", "x"]],
    ["x-forwarded-for", ["1.2.3.4", "::1, x", "\u00e9", ",,,"]],
    ["if-none-match", ["*", '"x"', ","]],
    ["x-request-id", ["a b", "req_1", "\u00ff"]],
    ["expect", ["100-continue"]],
    ["te", ["trailers", "x"]],
    ["upgrade", ["h2c", "websocket"]],
    ["connection", ["upgrade", "close", "x"]],
    ["x-http-method-override", ["DELETE"]],
    ["range", ["bytes=0-0"]],
    ["cookie", ["a=b; c", "="]],
    ["x-byond-signature", ["t=1,v1=x", ""]],
  ];
  for (const [name, values] of extras) {
    if (random.chance(0.06)) headers[name] = random.chance(0.1) ? [...values] : random.pick(values);
  }
  return headers;
}

interface Outcome {
  readonly sent: string;
  readonly statuses: readonly number[];
}

/** Whether an answer blames the server. 501 is what Connect's own specification has for an unknown compression. */
const blamesServer = (status: number) => status >= 500 && status !== 501;

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** A request that is valid HTTP. */
function sendValid(random: Random): Promise<Outcome> {
  const method = random.chance(0.6) ? "POST" : random.pick(methods);
  const target = anyTarget(random);
  const headers = anyHeaders(random);
  const body = method === "GET" || method === "HEAD" ? Buffer.alloc(0) : anyBody(random);
  // What is not compressed as it says: see the test below.
  if (target.startsWith("/byond.")) delete headers["content-encoding"];
  const sent = `${method} ${target} ${JSON.stringify(headers)} ${body.toString("latin1").slice(0, 300)}`;
  return new Promise((resolve) => {
    const call = httpRequest(
      { host: url.hostname, port: url.port, method, path: target, headers, agent },
      (response) => {
        response.resume();
        response.on("close", () => resolve({ sent, statuses: [response.statusCode ?? 0] }));
      },
    );
    call.setTimeout(10_000, () => call.destroy());
    // Some requests are answered by ending the connection.
    call.on("error", () => resolve({ sent, statuses: [] }));
    call.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ sent, statuses: [response.statusCode ?? 0] });
    });
    call.end(body);
  });
}

/** Bytes on a connection of their own: nearly HTTP, HTTP/2 frames, or nothing of the kind. */
function anyBytes(random: Random): Buffer {
  const kind = random.below(4);
  if (kind === 0) {
    return random.bytes(random.below(400));
  }
  if (kind === 1) {
    const frames = Array.from({ length: 1 + random.below(8) }, () => {
      const payload = random.bytes(random.below(60));
      const head = Buffer.alloc(9);
      head.writeUIntBE(random.chance(0.9) ? payload.length : random.below(1 << 24), 0, 3);
      head.writeUInt8(random.below(12), 3);
      head.writeUInt8(random.below(256), 4);
      head.writeUInt32BE(random.below(9), 5);
      return Buffer.concat([head, payload]);
    });
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    return Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings, ...frames]);
  }
  const body = anyBody(random);
  const lines = [
    `${random.pick(methods)} ${anyTarget(random)} HTTP/1.${random.chance(0.9) ? 1 : random.below(10)}`,
    random.pick([`Host: ${url.host}`, "Host: [", "Host: a b", "Host:", "host: x\r\nHost: y", "X: y"]),
    random.pick([
      `Content-Length: ${body.length}`,
      "Content-Length: 5",
      "Content-Length: -1",
      "Transfer-Encoding: chunked",
    ]),
    `X-API-Key: ${random.pick([key, "x", "\x01"])}`,
    "Content-Type: application/json",
    "Connection: close",
  ];
  const bytes = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
  for (let change = random.below(4); change > 0; change--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

function sendRaw(random: Random): Promise<Outcome> {
  const bytes = anyBytes(random);
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true });
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("error", () => undefined);
    socket.setTimeout(500, () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      const statuses = Array.from(received.matchAll(/^HTTP\/1\.1 (\d{3})/gm), ([, status]) => Number(status));
      resolve({ sent: JSON.stringify(bytes.toString("latin1")).slice(0, 600), statuses });
    });
    socket.end(bytes);
  });
}

/** Sends so many requests, some at a time; each has a seed of its own, so that one that fails can be sent again. */
async function fuzz(seeds: { readonly from: number; readonly to: number }): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let seed = seeds.from;
  const sender = async () => {
    while (seed < seeds.to) {
      const random = createRandom(seed++);
      outcomes.push(await (random.chance(0.3) ? sendRaw(random) : sendValid(random)));
    }
  };
  await Promise.all(Array.from({ length: 12 }, sender));
  return outcomes;
}

test(`${requests} malformed requests: no 5xx, no crash, no error in the log, and no leaked memory`, async () => {
  const warmUp = await fuzz({ from: 0, to: requests / 4 });
  const before = await heapBytes();
  const rest = await fuzz({ from: requests / 4, to: requests });
  agent.destroy();
  const after = await heapBytes();

  const outcomes = [...warmUp, ...rest];
  expect(outcomes).toHaveLength(requests);
  expect(outcomes.filter(({ statuses }) => statuses.some(blamesServer))).toEqual([]);
  expect(server.exitCode).toBeNull();
  // Of clients that went away, see the test below.
  const isExpected = (line: string) => line.includes('"level":"info"');
  expect(log.split("\n").filter((line) => line !== "" && !isExpected(line))).toEqual([]);
  expect(after - before).toBeLessThan(16 * 1024 * 1024);

  // The requests got everywhere: to no path, no credential, no body, no field, and to success.
  const seen = new Set(outcomes.flatMap(({ statuses }) => statuses));
  expect([200, 204, 400, 401, 404, 405, 413, 415, 422].filter((status) => !seen.has(status) && status !== 413)).toEqual(
    [],
  );

  const answer = await fetch(new URL("/api/v1/lookup?number=%2B6591234567", url), { headers: { "X-API-Key": key } });
  expect(await answer.json()).toMatchObject({ number_e164: "+6591234567", valid: true });
  expect(verificationId).toMatch(/^vrf_/);
}, 120_000);

/** Connect answers these by itself, before the call reaches our chain. */
describe("input that Connect parses", () => {
  const post = (method: string, headers: Record<string, string>, body: string) =>
    fetch(new URL(`/byond.v1.${method}`, url), {
      method: "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json", ...headers },
      body,
    });

  test("bytes that are not a protobuf message are a client error", async () => {
    const headers = { "Content-Type": "application/proto" };
    expect((await post("LookupService/LookupNumber", headers, "\u00ff\u00ff\u00ff")).status).toBe(400);
  });

  test("bytes that are not compressed as declared are a client error", async () => {
    for (const encoding of ["gzip", "br"]) {
      expect((await post("LookupService/LookupNumber", { "Content-Encoding": encoding }, "{")).status).toBe(400);
    }
  });

  test("a deadline in two months does not overflow to a millisecond", async () => {
    const before = log.length;
    const answer = await post("LookupService/LookupNumber", { "Connect-Timeout-Ms": "5184000000" }, '{"number":"1"}');
    expect(answer.status).toBe(200);
    // Node warns of it on standard error, once the line of the request is there.
    while (!log.slice(before).includes("LookupNumber")) {
      await once(server.stderr ?? server, "data");
    }
    expect(log.slice(before)).not.toContain("TimeoutOverflowWarning");
  });
});

test("a client that disconnects before it has sent everything is not a server error", async () => {
  const before = log.length;
  const socket = connect({ host: url.hostname, port: Number(url.port) });
  await once(socket, "connect");
  const head = ["POST /api/v1/verify/start HTTP/1.1", "Host: x", `X-API-Key: ${key}`, "Content-Type: application/json"];
  socket.write(`${head.join("\r\n")}\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`);
  await once(socket, "data");
  socket.write('{"channel":');
  socket.resetAndDestroy();
  const logged = async (pattern: RegExp) => {
    while (!pattern.test(log.slice(before))) {
      await once(server.stderr ?? server, "data");
    }
  };
  await logged(/"event":"request".*verify\/start/);
  // Whatever else there is to say of it has been said once another request is over.
  await fetch(new URL("/api/v1/nothing", url));
  await logged(/"event":"request".*"status":404/);
  expect(log.slice(before)).not.toContain('"level":"error"');
});
