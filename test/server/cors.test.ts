/** Calls from pages of other origins: what `CORS_ORIGINS` allows, and that nothing else does. */
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { cors } from "@connectrpc/connect";
import { beforeAll, describe, expect, test } from "vitest";
import { startTestApp, useTestApp } from "../support/app.ts";

const page = "https://app.example.com";
const otherPage = "http://localhost:3000";
const stranger = "https://evil.example";

const app = useTestApp({ corsOrigins: [page, otherPage], metricsToken: "a token of the tests" });
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly url?: string;
}

function call(path: string, { method = "GET", headers = {}, body, url = app.url }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${url}${path}`, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The names of a header's list, in lower case. */
const listed = (header: string | undefined) => (header ?? "").split(",").map((name) => name.trim().toLowerCase());

function preflight(path: string, origin: string, names: string, others: Readonly<Record<string, string>> = {}) {
  const headers = {
    Origin: origin,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": names,
    ...others,
  };
  return call(path, { method: "OPTIONS", headers });
}

const corsHeaders = ({ headers }: Answer) => Object.keys(headers).filter((name) => name.startsWith("access-control-"));

/** Headers that scripts may read in any case (Fetch §2.2.2), and those that say nothing to a script. */
const readable = new Set(["cache-control", "content-language", "content-length", "content-type", "expires"]);
const ofTransport = new Set([
  "connection",
  "date",
  "keep-alive",
  "transfer-encoding",
  "vary",
  "x-content-type-options",
]);

function expectReadable(answer: Answer, origin = page): void {
  expect(answer.headers["access-control-allow-origin"]).toBe(origin);
  expect(listed(answer.headers.vary)).toContain("origin");
  expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
  const exposed = listed(answer.headers["access-control-expose-headers"]);
  const hidden = Object.keys(answer.headers).filter(
    (name) =>
      !name.startsWith("access-control-") && !readable.has(name) && !ofTransport.has(name) && !exposed.includes(name),
  );
  expect(hidden).toEqual([]);
}

const json = { "Content-Type": "application/json" };
const asPage = (headers: Readonly<Record<string, string>> = {}) => ({ Origin: page, ...headers });

describe("a preflight", () => {
  const rpc = "/byond.v1.VerifyService/StartVerification";

  test.each(["/api/v1/verify/start", "/api/v1/verify/vrf_1", rpc, "/nowhere", "/metrics"])(
    "of a page that is named is answered, wherever it asks: %s",
    async (path) => {
      const answer = await preflight(path, page, "x-api-key");
      expect(answer).toMatchObject({ status: 204, text: "" });
      expect(answer.headers["access-control-allow-origin"]).toBe(page);
      expect(listed(answer.headers["access-control-allow-methods"]).sort()).toEqual(
        ["delete", "get", "head", "patch", "post", "put"].sort(),
      );
      expect(answer.headers["access-control-max-age"]).toBe("7200");
      expect(listed(answer.headers.vary)).toContain("origin");
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    },
  );

  test("allows the headers that Connect, gRPC-Web and this API take, and those in the reference", async () => {
    const allowed = listed((await preflight(rpc, page, "x")).headers["access-control-allow-headers"]);
    const own = [
      "Authorization",
      "X-API-Key",
      "Idempotency-Key",
      "Request-Timeout",
      "If-None-Match",
      "Last-Event-ID",
      "Content-Encoding",
    ];
    const preferences = ["Byond-Version", "Byond-Signature", "Byond-Envelope", "traceparent", "tracestate", "baggage"];
    for (const name of [...cors.allowedHeaders, ...own, ...preferences]) {
      expect(allowed).toContain(name.toLowerCase());
    }
    const { components, paths } = JSON.parse((await call("/openapi.json", {})).text);
    const inPaths = JSON.stringify(paths);
    const documented = Object.entries<{ readonly in: string; readonly name: string }>(components.parameters)
      // Others are headers of the requests that webhooks get.
      .filter(([key]) => inPaths.includes(`"#/components/parameters/${key}"`))
      .map(([, parameter]) => parameter)
      .filter((parameter) => parameter.in === "header")
      .map(({ name }) => name.toLowerCase());
    expect(documented).toContain("idempotency-key");
    expect(allowed).toEqual(expect.arrayContaining(documented));
  });

  test.each([
    stranger,
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    `${page}, ${stranger}`,
  ])("of another page is answered as without CORS: %s", async (origin) => {
    const rest = await preflight("/api/v1/verify/start", origin, "x-api-key");
    expect([rest.status, rest.headers.allow, corsHeaders(rest)]).toEqual([204, "POST", []]);
    expect(listed(rest.headers.vary)).toContain("origin");
    const connect = await preflight(rpc, origin, "x-api-key");
    expect([connect.status, corsHeaders(connect)]).toEqual([405, []]);
  });

  test("over HTTP/2 too", async () => {
    const session = connectHttp2(app.url);
    const stream = session.request({
      ":method": "OPTIONS",
      ":path": rpc,
      origin: otherPage,
      "access-control-request-method": "POST",
    });
    const [headers] = await once(stream, "response");
    expect([headers[":status"], headers["access-control-allow-origin"]]).toEqual([204, otherPage]);
    session.destroy();
  });

  test("an OPTIONS without Access-Control-Request-Method is not a preflight", async () => {
    const answer = await call("/api/v1/verify/start", { method: "OPTIONS", headers: asPage() });
    expect([answer.status, answer.headers.allow]).toEqual([204, "POST"]);
    expectReadable(answer);
  });

  test("is logged as a preflight", async () => {
    await preflight("/api/v1/verify/start", page, "x");
    await expect.poll(() => app.logLines.at(-1)).toMatch(/"method":"OPTIONS","route":"preflight","status":204/);
  });
});

describe("a page of an allowed origin can read an answer with all its headers", () => {
  const start = { channel: "email", recipient: "page@example.com" };

  test("of success over REST", async () => {
    const headers = asPage({ ...json, "X-API-Key": key, "Idempotency-Key": "page" });
    const first = await call("/api/v1/verify/start", { method: "POST", headers, body: JSON.stringify(start) });
    expect(first.status).toBe(201);
    expectReadable(first);
    const again = await call("/api/v1/verify/start", { method: "POST", headers, body: JSON.stringify(start) });
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expectReadable(again);
  });

  test("of a read, also with 304", async () => {
    const headers = asPage({ "X-API-Key": key });
    const first = await call("/api/v1/lookup?number=%2B6591234567", { headers });
    expectReadable(first);
    const etag = String(first.headers.etag);
    const again = await call("/api/v1/lookup?number=%2B6591234567", { headers: { ...headers, "If-None-Match": etag } });
    expect(again.status).toBe(304);
    expectReadable(again);
  });

  test.each([
    ["connect", "application/json", Buffer.from(JSON.stringify({ number: "+6591234567" }))],
    ["grpc-web", "application/grpc-web+proto", Buffer.from("\0\0\0\0\r\n\v+6591234567")],
  ])("over %s", async (_protocol, type, body) => {
    const headers = asPage({ "Content-Type": type, "X-API-Key": key });
    const answer = await call("/byond.v1.LookupService/LookupNumber", { method: "POST", headers, body });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, type]);
    expectReadable(answer);
    const refused = await call("/byond.v1.LookupService/LookupNumber", {
      method: "POST",
      headers: asPage({ "Content-Type": type }),
      body,
    });
    expectReadable(refused);
  });

  test.each<[number, string, Call]>([
    [400, "/api/v1/verify/start", { method: "POST", headers: { ...json }, body: "{" }],
    [401, "/api/v1/lookup?number=1", { headers: { "X-API-Key": "pk_live_made.up" } }],
    [404, "/nowhere", {}],
    [404, "/metrics", {}],
    [405, "/api/v1/verify/start", { method: "PUT" }],
    [413, "/api/v1/verify/start", { method: "POST", headers: { ...json }, body: "x".repeat(100_000) }],
    [415, "/api/v1/verify/start", { method: "POST", headers: { "Content-Type": "text/plain" }, body: "x" }],
    [415, "/byond.v1.LookupService/LookupNumber", { method: "POST", headers: { "Content-Type": "text/plain" } }],
    [422, "/api/v1/verify/start", { method: "POST", headers: { ...json }, body: "{}" }],
    [501, "/api/v1/verify/start", { method: "PROPFIND_" }],
    [
      431,
      "/api/v1/verify/start",
      { headers: Object.fromEntries(Array.from({ length: 140 }, (_, n) => [`X-${n}`, ""])) },
    ],
    [400, "/a%zz", {}],
  ])("of a refusal: %i at %s", async (status, path, { headers = {}, ...rest }) => {
    const answer = await call(path, { ...rest, headers: asPage({ "X-API-Key": key, ...headers }) });
    expect(answer.status).toBe(status);
    expectReadable(answer);
  });

  test("of a rate limit", async () => {
    const { session } = await app.signUp();
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "one", requests_per_minute: 1 } });
    const headers = asPage({ "X-API-Key": body.key });
    const answers = [
      await call("/api/v1/lookup?number=1", { headers }),
      await call("/api/v1/lookup?number=1", { headers }),
    ];
    expect(answers[1]?.status).toBe(429);
    expectReadable(answers[1] ?? expect.fail());
  });

  test.each([
    [400, `GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\nbad header\r\n\r\n`],
    [431, `GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`],
    [501, `PROPFIND_ / HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\n\r\n`],
    [
      413,
      `POST /nowhere HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\n`,
    ],
  ])("of malformed HTTP: %i", async (status, text) => {
    const answer = await exchange(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`Access-Control-Allow-Origin: ${page}\r\n`);
    expect(answer).toMatch(/\r\nVary: Origin\r\n/);
    expect(await exchange(text.replace(page, stranger))).not.toMatch(/access-control/i);
  });

  async function exchange(text: string): Promise<string> {
    const socket = connectTcp(Number(new URL(app.url).port), "127.0.0.1");
    socket.end(text);
    const chunks: Buffer[] = await socket.toArray();
    return Buffer.concat(chunks).toString();
  }
});

describe("nobody else can read anything", () => {
  test.each([stranger, "null"])("a page of another origin gets the answer without CORS headers: %s", async (origin) => {
    const answer = await call("/api/v1/lookup?number=%2B6591234567", { headers: { Origin: origin, "X-API-Key": key } });
    expect([answer.status, corsHeaders(answer)]).toEqual([200, []]);
    expect(listed(answer.headers.vary)).toContain("origin");
  });

  test.each(["/dev/inbox", "/healthz", "/readyz", "/docs", "/"])(
    "pages are no part of the API, not even for a page that is named: %s",
    async (path) => {
      expect(corsHeaders(await call(path, { headers: asPage({ "X-API-Key": key }) }))).toEqual([]);
    },
  );

  test("the inbox and the metrics have no CORS headers either, with a preflight or the token", async () => {
    const inbox = await preflight("/dev/inbox", page, "x-api-key");
    expect([inbox.status, corsHeaders(inbox)]).toEqual([405, []]);
    const metrics = await call("/metrics", { headers: asPage({ Authorization: "Bearer a token of the tests" }) });
    expect([metrics.status, corsHeaders(metrics)]).toEqual([200, []]);
  });

  test("without the setting there are no CORS headers", async () => {
    await using server = await startTestApp();
    for (const path of ["/api/v1/lookup?number=1", "/byond.v1.LookupService/LookupNumber", "/nowhere", "/a%zz"]) {
      for (const method of ["GET", "OPTIONS"]) {
        const headers = asPage({ "Access-Control-Request-Method": "POST" });
        const answer = await call(path, { method, headers, url: server.url });
        expect(corsHeaders(answer)).toEqual([]);
        expect(listed(answer.headers.vary)).not.toContain("origin");
      }
    }
  });
});

test("with * every page may call, but not with cookies", async () => {
  await using server = await startTestApp({ corsOrigins: "any" });
  const headers = { Origin: stranger, "Access-Control-Request-Method": "POST" };
  const asked = await call("/api/v1/verify/start", { method: "OPTIONS", headers, url: server.url });
  expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([204, "*"]);
  const answer = await call("/api/v1/lookup?number=1", { headers: { Origin: "null" }, url: server.url });
  expectReadable(answer, "*");
  expect(corsHeaders(await call("/dev/inbox", { headers: { Origin: stranger }, url: server.url }))).toEqual([]);
});
