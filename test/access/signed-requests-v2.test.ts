/** Signatures of the second version: they hold for one request, and an effect happens once by each. */
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Credential } from "../../gen/byond/v1/access_pb.ts";
import { ApiKeyService } from "../../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../../gen/byond/v1/auth_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { accessOf } from "../../src/access/authorize.ts";
import { usedSignatureSweep } from "../../src/access/used-signatures.ts";
import { Database } from "../../src/database/database.ts";
import { hasSideEffects } from "../../src/idempotency/idempotency-interceptor.ts";
import { password, startTestApp, type TestApp, useTestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { freePort } from "../support/free-port.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { sweepAll } from "../support/sweep-all.ts";
import {
  byteLevelClients,
  grpcClient,
  type HeaderFields,
  type ProtocolClient,
  type RequestLine,
  restClient,
} from "../wire/protocol-clients.ts";

const here = useTestApp();
let there: TestApp;
let database: pg.Client;
let session: string;
/** A key that may sign, and one that must, in the second version. */
let free: string;
let strict: string;
beforeAll(async () => {
  there = await here.startAnother();
  database = new pg.Client({ connectionString: here.databaseUrl });
  await database.connect();
  ({ session } = await here.signUp());
  free = await mint({});
  strict = await mint({ min_signature_version: "v2" });
});
afterAll(async () => {
  await database.end();
  await there[Symbol.asyncDispose]();
});

async function mint(restrictions: Readonly<Record<string, unknown>>): Promise<string> {
  const { body } = await here.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } });
  return body.key;
}

const now = () => here.time.now().getTime();

function signature(credential: string, line: RequestLine, body: Uint8Array | string = "", t: number | string = now()) {
  const head = `v2\n${t}\n${line.method}\n${line.target}\n`;
  const hex = createHmac("sha256", credential).update(head).update(body).digest("hex");
  return { "Byond-Signature": `t=${t},v2=${hex}` };
}

const v1 = (key: string, body = "", t = now()) => ({
  "Byond-Signature": `t=${t},v1=${createHmac("sha256", key).update(`${t}.${body}`).digest("hex")}`,
});

const signing =
  (key: string) =>
  (body: Uint8Array, line: RequestLine): HeaderFields =>
    signature(key, line, body);

/** A request as it is sent: sending it again is sending the very same. */
interface Prepared extends RequestLine {
  readonly headers: HeaderFields;
  readonly body?: string;
}

function prepare(key: string, method: string, path: string, body?: unknown, more: HeaderFields = {}): Prepared {
  const line = { method, target: `/api/v1${path}` };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    Authorization: `Bearer ${key}`,
    ...signature(key, line, text),
    ...(text === undefined ? {} : { "Content-Type": "application/json" }),
    ...more,
  };
  return { ...line, headers, ...(text === undefined ? {} : { body: text }) };
}

async function send({ method, target, headers, body }: Prepared, app = here) {
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  const answer = await fetch(app.url + target, init);
  const text = await answer.text();
  const json = text === "" ? undefined : JSON.parse(text);
  return { status: answer.status, code: json?.error?.code ?? "ok", body: json, headers: answer.headers };
}

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === "string") {
    throw new TypeError("the server listens on no port");
  }
  return bound.port;
}

const address = () => `signed-${randomUUID()}@example.com`;
const start = (key: string, more?: HeaderFields) =>
  prepare(key, "POST", "/verify/start", { channel: "email", recipient: address() }, more);

async function verificationsOf(recipient: string): Promise<readonly unknown[]> {
  const { body } = await here.rest("GET", `/verifications?recipient=${recipient}`, { key: free });
  return body.verifications;
}
const recipientOf = ({ body }: Prepared): string => JSON.parse(body ?? "{}").recipient;

/** Resolves when so many statements of the server wait for the test's lock. */
async function waitingStatements(count: number): Promise<void> {
  for (;;) {
    const { rows } = await database.query(
      "SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND relation = 'verification'::regclass",
    );
    if (rows[0].count >= count) {
      return;
    }
    await pause(5);
  }
}

const usedBefore = {
  status: 401,
  code: "signature_invalid",
  body: { error: { message: "The signature was already used, and its call took effect. Sign each call anew." } },
};

describe("a signature is only valid for its own request", () => {
  test("the signature of a GET is not valid for another lookup, another read or a cancel", async () => {
    const { body } = await here.rest("POST", "/verify/start", {
      key: free,
      body: { channel: "email", recipient: address() },
    });
    const id = body.verification_id;
    const get = prepare(strict, "GET", "/lookup?number=%2B6591234567");
    expect((await send(get)).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/lookup?number=%2B14155550123"],
      ["GET", "/lookup?number=%2B6591234567&country=SG"],
      ["GET", "/lookup"],
      ["GET", `/verify/${id}`],
      ["HEAD", "/lookup?number=%2B6591234567"],
      ["POST", `/verify/${id}/cancel`],
    ] as const) {
      const answer = await send({ ...get, method, target: `/api/v1${path}` });
      expect(answer.status, `${method} ${path}`).toBe(401);
    }
    const told = await here.rest("GET", `/verify/${id}`, { key: free });
    expect(told.body.status).toBe("pending");
  });

  test("the signature of one call is not valid for another call with the same body, over any protocol", async () => {
    const prepared = start(strict);
    for (const target of ["/api/v1/verify/check", `/${VerifyService.typeName}/StartVerification`]) {
      expect((await send({ ...prepared, target })).status).toBe(401);
    }
    expect((await send(prepared)).status).toBe(201);
  });

  describe.each(byteLevelClients)("over $name", (client: ProtocolClient) => {
    test("the request is signed as it is sent, compressed or not, whether the key requires signatures or not", async () => {
      for (const key of [free, strict]) {
        for (const gzip of [false, true]) {
          const input = { channel: "email", recipient: address() };
          expect((await client.call(here, "StartVerification", input, { key, gzip, sign: signing(key) })).code).toBe(
            "ok",
          );
        }
        expect((await client.call(here, "LookupNumber", { number: "1" }, { key, sign: signing(key) })).code).toBe("ok");
      }
    });

    test("a mismatch is explained by the method and target that were received", async () => {
      const sign = (body: Uint8Array, line: RequestLine) =>
        signature(strict, { ...line, target: `${line.target}/` }, body);
      let target = "";
      const { code, body } = await client.call(
        here,
        "LookupNumber",
        { number: "1" },
        {
          key: strict,
          sign: (bytes, line) => {
            target = `${line.method} ${line.target.split("?")[0]}`;
            return sign(bytes, line);
          },
        },
      );
      expect(code).toBe("signature_invalid");
      expect(body.message).toContain(`as they were received: ${target}, its query and its body.`);
    });
  });

  test("over Connect by GET the message is signed as a part of the target", async () => {
    const target = (number: string) =>
      `/byond.v1.LookupService/LookupNumber?${new URLSearchParams({ connect: "v1", encoding: "json", message: `{"number":"${number}"}` })}`;
    const line = { method: "GET", target: target("1") };
    const get = { ...line, headers: { "X-API-Key": strict, ...signature(strict, line) } };
    expect((await send(get)).status).toBe(200);
    expect((await send({ ...get, target: target("2") })).status).toBe(401);
  });

  test("over HTTP/2 the target is the same", async () => {
    const client = connectHttp2(here.url);
    try {
      const line = { method: "GET", target: "/api/v1/lookup?number=%2B6591234567" };
      const stream = client.request({
        ":path": line.target,
        "x-api-key": strict,
        "byond-signature": signature(strict, line)["Byond-Signature"],
      });
      const [headers] = await once(stream, "response");
      stream.resume();
      expect(headers[":status"]).toBe(200);
    } finally {
      client.close();
    }
  });
});

describe("the target is signed exactly as it was sent", () => {
  /** Sent as it is written: `fetch` would change some of these. */
  async function get(target: string, signed = target, url = here.url): Promise<number | undefined> {
    const headers = { "X-API-Key": strict, ...signature(strict, { method: "GET", target: signed }) };
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, path: target, headers });
    request.end();
    const [response]: [IncomingMessage] = await new Promise((resolve, reject) => {
      request.once("response", (...args) => resolve(args)).once("error", reject);
    });
    response.resume();
    return response.statusCode;
  }

  test.each([
    "/api/v1/lookup?number=%2B6591234567",
    "/api/v1/lookup?number=%2b6591234567",
    "/api/v1/lookup?number=+6591234567",
    "/api/v1/lookup?number=%36591234567",
    "/api/v1/look%75p?number=1",
    "/api/v1/lookup?number='1'",
    '/api/v1/lookup?number="1"',
    "/api/v1/../v1/./lookup?number=1",
    "/api/v1/lookup?&number=1&",
  ])("%s", async (target) => {
    expect(await get(target)).toBe(200);
  });

  test.each([
    ["/api/v1/lookup?number=%2B6591234567", "/api/v1/lookup?number=%2b6591234567"],
    ["/api/v1/lookup?number=1&country=SG", "/api/v1/lookup?country=SG&number=1"],
    ["/api/v1/../v1/lookup?number=1", "/api/v1/lookup?number=1"],
    ["/api/v1/lookup?number='1'", "/api/v1/lookup?number=%271%27"],
    ["/api/v1/lookup?number=1", "/api/v1/lookup"],
    ["/api/v1/lookup?number=1", "/lookup?number=1"],
  ])("%s is not %s", async (target, signed) => {
    expect(await get(target, signed)).toBe(401);
  });

  describe("with a PUBLIC_URL that has a path, behind a proxy that removes it", () => {
    const prefix = "/otp/eu";
    let server: TestApp;
    let proxy: Server;
    let publicUrl: string;
    beforeAll(async () => {
      const port = await freePort();
      proxy = createServer((request, response) => {
        const path = request.url?.slice(prefix.length);
        const headers = { ...request.headers, host: "backend" };
        httpRequest({ hostname: "127.0.0.1", port, path, method: request.method, headers }, (answer) =>
          answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
        ).end();
      });
      proxy.listen(0, "127.0.0.1");
      await once(proxy, "listening");
      publicUrl = `http://127.0.0.1:${portOf(proxy)}${prefix}`;
      server = await here.startAnother({ publicUrl, port });
    });
    afterAll(async () => {
      proxy.close();
      await server[Symbol.asyncDispose]();
    });

    test("the signed target begins after that path, whatever the host", async () => {
      const target = "/api/v1/lookup?number=%2B6591234567";
      expect(await get(prefix + target, target, publicUrl)).toBe(200);
      expect(await get(prefix + target, prefix + target, publicUrl)).toBe(401);
    });
  });
});

describe("each signature has one effect", () => {
  test("a signed start runs once, and a repetition is refused with the reason", async () => {
    for (const key of [free, strict]) {
      const prepared = start(key);
      expect((await send(prepared)).status).toBe(201);
      expect(await send(prepared)).toMatchObject(usedBefore);
      expect(await send(prepared, there)).toMatchObject(usedBefore);
      expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
    }
  });

  test("also with another spelling of the header", async () => {
    const prepared = start(strict);
    const text = prepared.headers["Byond-Signature"] ?? "";
    const [t, hex] = text.split(",v2=");
    expect((await send(prepared)).status).toBe(201);
    for (const spelling of [`v2=${hex?.toUpperCase()}, ${t}`, `${t},v2=${"0".repeat(64)},v2=${hex}`, `${text},v3=x`]) {
      const again = { ...prepared, headers: { ...prepared.headers, "Byond-Signature": spelling } };
      expect(await send(again)).toMatchObject(usedBefore);
    }
    const { Authorization: _, ...withoutKey } = prepared.headers;
    expect(await send({ ...prepared, headers: { ...withoutKey, "X-API-Key": strict } })).toMatchObject(usedBefore);
  });

  test("if two servers get it many times at once, one call is carried out", async () => {
    const prepared = start(strict);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => send(prepared, index % 2 === 0 ? here : there)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
  });

  test("copies sent while the key is changed and revoked fail as such, without a deadlock", async () => {
    const { body: created } = await here.rest("POST", "/api-keys", { session, body: { name: "k" } });
    const prepared = start(created.key);
    const copies = Array.from({ length: 24 }, (_, index) => send(prepared, index % 2 === 0 ? here : there));
    await here.rest("PATCH", `/api-keys/${created.id}`, { session, body: { scopes: ["verify"] } });
    expect((await here.rest("DELETE", `/api-keys/${created.id}`, { session })).status).toBe(200);
    const answers = await Promise.all(copies);
    expect(answers.filter(({ status }) => status !== 201 && status !== 401)).toEqual([]);
    const carriedOut = answers.filter(({ status }) => status === 201).length;
    expect(carriedOut).toBeLessThanOrEqual(1);
    expect((await verificationsOf(recipientOf(prepared))).length).toBeLessThanOrEqual(1);
  });

  test("for as long as its time is accepted, before and after, even after a sweep", async () => {
    await using app = await startTestApp();
    await using stack = new AsyncDisposableStack();
    const own = await Database.open({
      connection: await connectionTo(app.databaseUrl),
      logger: captureLog().logger,
      ...standardSchema,
    });
    stack.defer(() => own.close());
    const used = async () => (await querySql(own, { name: "used", text: "SELECT FROM used_signature" }, [])).length;
    const key = await app.mintKey();
    const line = { method: "POST", target: "/api/v1/verify/start" };
    const start = (t: number): Prepared => {
      const body = JSON.stringify({ channel: "email", recipient: address() });
      const headers = { "X-API-Key": key, "Content-Type": "application/json", ...signature(key, line, body, t) };
      return { ...line, headers, body };
    };
    const ahead = start(app.time.now().getTime() + 299_000);
    for (const prepared of [ahead, start(app.time.now().getTime()), start(app.time.now().getTime() - 299_000)]) {
      expect((await send(prepared, app)).status).toBe(201);
    }
    await app.time.advance({ seconds: 595 });
    await sweepAll(usedSignatureSweep({ database: own }));
    expect(await used()).toBe(3);
    expect(await send(ahead, app)).toMatchObject(usedBefore);
    await app.time.advance({ seconds: 306 });
    expect(await send(ahead, app)).toMatchObject({ code: "signature_invalid" });
    await sweepAll(usedSignatureSweep({ database: own }, 2));
    expect(await used()).toBe(0);
  });

  test("reads may be repeated for five minutes", async () => {
    const get = prepare(strict, "GET", "/lookup?number=1");
    expect((await send(get)).status).toBe(200);
    expect((await send(get, there)).status).toBe(200);
    await here.time.advance({ seconds: 299 });
    expect((await send(get)).status).toBe(200);
    await here.time.advance({ seconds: 2 });
    expect(await send(get)).toMatchObject({ status: 401, code: "signature_invalid" });
  });

  test("v1 signatures may be repeated, as documented", async () => {
    const prepared = start(free);
    const headers = { ...prepared.headers, ...v1(free, prepared.body) };
    expect((await send({ ...prepared, headers })).status).toBe(201);
    expect((await send({ ...prepared, headers })).status).toBe(201);
  });
});

describe("a call without an effect does not use up its signature", () => {
  test("rate_limited: the same request is carried out when there is a token", async () => {
    const body = { channel: "email", recipient: address() };
    for (let sent = 0; sent < 3; sent++) {
      await here.rest("POST", "/verify/start", { key: free, body });
    }
    const prepared = prepare(strict, "POST", "/verify/start", body);
    expect((await send(prepared)).code).toBe("rate_limited");
    await here.time.advance({ seconds: 61 });
    expect((await send(prepared)).status).toBe(201);
    expect(await send(prepared)).toMatchObject(usedBefore);
  });

  test("unavailable: a request that was rolled back may be repeated", async () => {
    const prepared = start(strict);
    await database.query(`
      CREATE FUNCTION test_outage() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '57P01'; END $$;
      CREATE CONSTRAINT TRIGGER test_outage AFTER INSERT ON verification DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION test_outage()`);
    try {
      expect((await send(prepared)).status).toBe(503);
    } finally {
      await database.query("DROP TRIGGER test_outage ON verification; DROP FUNCTION test_outage");
    }
    expect((await send(prepared)).status).toBe(201);
    expect(await send(prepared)).toMatchObject(usedBefore);
    expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
  });

  test("if the first of two calls is rolled back, the other one is carried out", async () => {
    const prepared = start(strict);
    await database.query(`
      CREATE SEQUENCE test_commits;
      CREATE FUNCTION test_outage() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('test_commits') = 1 THEN RAISE EXCEPTION 'no more' USING ERRCODE = '57P01'; END IF;
        RETURN NULL;
      END $$;
      CREATE CONSTRAINT TRIGGER test_outage AFTER INSERT ON verification DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION test_outage()`);
    try {
      const answers = await Promise.all([send(prepared), send(prepared, there)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 503]);
    } finally {
      await database.query(
        "DROP TRIGGER test_outage ON verification; DROP FUNCTION test_outage; DROP SEQUENCE test_commits",
      );
    }
    expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
  });

  test("refusals: invalid fields, not found, a missing scope", async () => {
    const wrong = prepare(strict, "POST", "/verify/start", { channel: "fax" });
    const unknown = prepare(strict, "POST", "/verify/check", {
      verification_id: "vrf_0000000000000000000000",
      code: "1",
    });
    for (const prepared of [wrong, unknown]) {
      const first = await send(prepared);
      expect(await send(prepared)).toMatchObject({ status: first.status, code: first.code });
      expect(first.code).not.toBe("signature_invalid");
    }
    const { body: created } = await here.rest("POST", "/api-keys", {
      session,
      body: { name: "narrow", scopes: ["lookup"], min_signature_version: "v2" },
    });
    const prepared = start(created.key);
    expect((await send(prepared)).code).toBe("insufficient_scope");
    await here.rest("PATCH", `/api-keys/${created.id}`, { session, body: { scopes: ["verify"] } });
    expect((await send(prepared)).status).toBe(201);
  });
});

describe("with an Idempotency-Key", () => {
  test("the same request again gets the stored answer, on either server", async () => {
    const prepared = start(strict, { "Idempotency-Key": randomUUID() });
    const first = await send(prepared);
    expect(first.status).toBe(201);
    for (const app of [here, there]) {
      const again = await send(prepared, app);
      expect(again).toMatchObject({ status: 201, body: first.body });
      expect(again.headers.get("idempotent-replayed")).toBe("true");
    }
    expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
  });

  test("with another Idempotency-Key, or without one, the signature is used up; the other key stays unused", async () => {
    const prepared = start(strict, { "Idempotency-Key": randomUUID() });
    expect((await send(prepared)).status).toBe(201);
    const { "Idempotency-Key": _, ...without } = prepared.headers;
    expect(await send({ ...prepared, headers: without })).toMatchObject(usedBefore);
    const other = randomUUID();
    const moved = { ...prepared, headers: { ...prepared.headers, "Idempotency-Key": other } };
    expect(await send(moved)).toMatchObject(usedBefore);
    expect((await send(start(strict, { "Idempotency-Key": other }))).status).toBe(201);
    expect(await verificationsOf(recipientOf(prepared))).toHaveLength(1);
  });

  test("a new signature with the same Idempotency-Key gets the stored answer, and is not used up", async () => {
    const headers = { "Idempotency-Key": randomUUID() };
    const body = { channel: "email", recipient: address() };
    const first = await send(prepare(strict, "POST", "/verify/start", body, headers));
    await here.time.advance({ seconds: 1 });
    const second = prepare(strict, "POST", "/verify/start", body, headers);
    expect(await send(second)).toMatchObject({ status: 201, body: first.body });
    const { "Idempotency-Key": _, ...without } = second.headers;
    expect((await send({ ...second, headers: without })).status).toBe(201);
  });
});

describe("a key that requires v2", () => {
  test("refuses unsigned requests and v1, and accepts both versions in one header", async () => {
    const get = prepare(strict, "GET", "/lookup?number=1");
    const withSignature = (signed: HeaderFields) => send({ ...get, headers: { "X-API-Key": strict, ...signed } });
    expect(await withSignature({})).toMatchObject({ status: 401, code: "signature_invalid" });
    expect(await withSignature(v1(strict))).toMatchObject({
      status: 401,
      body: { error: { message: "This key takes v2 signatures only: the Byond-Signature header has none." } },
    });
    const both = `${get.headers["Byond-Signature"]},v1=${"0".repeat(64)}`;
    expect((await withSignature({ "Byond-Signature": both })).status).toBe(200);
  });

  test("also applies to calls in progress: an unsigned call from before the change has no effect after it", async () => {
    const { body: created } = await here.rest("POST", "/api-keys", { session, body: { name: "k" } });
    const recipients = [address(), address()];
    const signed = prepare(created.key, "POST", "/verify/start", { channel: "email", recipient: recipients[1] });
    await database.query("BEGIN; LOCK TABLE verification IN SHARE MODE");
    const unsigned = here.rest("POST", "/verify/start", {
      key: created.key,
      body: { channel: "email", recipient: recipients[0] },
    });
    const inTime = send(signed);
    await waitingStatements(2);
    const demand = here.rest("PATCH", `/api-keys/${created.id}`, { session, body: { min_signature_version: "v2" } });
    await demand;
    await database.query("COMMIT");
    expect((await unsigned).body.error.code).toBe("signature_invalid");
    expect((await inTime).status).toBe(201);
    expect(await verificationsOf(recipients[0] ?? "")).toEqual([]);
    expect(await send(signed)).toMatchObject(usedBefore);
  });

  test("opens the local inbox with a signature of that request", async () => {
    const inbox = (signed: HeaderFields) =>
      fetch(`${here.url}/dev/inbox`, { headers: { "X-API-Key": strict, ...signed } });
    expect((await inbox({})).status).toBe(401);
    expect((await inbox(signature(strict, { method: "GET", target: "/api/v1/lookup?number=1" }))).status).toBe(401);
    expect((await inbox(signature(strict, { method: "GET", target: "/dev/inbox" }))).status).toBe(200);
  });

  test("is refused over gRPC", async () => {
    const { code, body } = await grpcClient.call(here, "LookupNumber", { number: "1" }, { key: strict });
    expect(code).toBe("signature_invalid");
    expect(body.message).toContain("Requests over gRPC cannot be signed");
  });

  test("reports its required version, however it was set; it can be lowered to v1 or removed", async () => {
    const create = async (restrictions: object) => {
      const { body } = await here.rest("POST", "/api-keys", { session, body: { name: "k", ...restrictions } });
      return body;
    };
    const none = { require_signature: false, min_signature_version: null };
    const first = { require_signature: true, min_signature_version: "v1" };
    const second = { require_signature: true, min_signature_version: "v2" };
    expect(await create({})).toMatchObject(none);
    expect(await create({ require_signature: true })).toMatchObject(first);
    expect(await create({ min_signature_version: "v1" })).toMatchObject(first);
    expect(await create({ require_signature: false, min_signature_version: "v2" })).toMatchObject(second);
    const { id, key } = await create({});
    const change = async (changes: object) =>
      (await here.rest("PATCH", `/api-keys/${id}`, { session, body: changes })).body;
    expect(await change({ min_signature_version: "v2" })).toMatchObject(second);
    expect((await send({ ...prepare(key, "GET", "/lookup?number=1"), headers: { "X-API-Key": key } })).status).toBe(
      401,
    );
    expect(await change({ require_signature: true })).toMatchObject(second);
    expect(await change({ name: "other" })).toMatchObject(second);
    expect(await change({ min_signature_version: "v1" })).toMatchObject(first);
    expect(await change({ min_signature_version: "v2", require_signature: true })).toMatchObject(second);
    const { body: rotated } = await here.rest("POST", `/api-keys/${id}/rotate`, { session });
    expect(rotated).toMatchObject(second);
    expect(await change({ require_signature: false })).toMatchObject(none);
    expect(await change({ require_signature: true })).toMatchObject(first);
  });

  test.each([
    [{ min_signature_version: "v3" }, "min_signature_version"],
    [{ min_signature_version: "unspecified" }, "min_signature_version"],
    [{ min_signature_version: 2 }, "min_signature_version"],
  ])("%j is refused", async (restrictions, field) => {
    const { status, body } = await here.rest("POST", "/api-keys", { session, body: { name: "k", ...restrictions } });
    expect(status).toBe(422);
    expect(Object.keys(body.error.fields)).toEqual([field]);
  });

  test.each([
    [{ min_signature_version: null }, 'must not be null: to require no signature, write "require_signature": false'],
    [
      { min_signature_version: "v2", require_signature: false },
      "must not be given together with require_signature: false",
    ],
  ])("the change %j is refused", async (changes, message) => {
    const { body: created } = await here.rest("POST", "/api-keys", {
      session,
      body: { name: "k", min_signature_version: "v2" },
    });
    const { status, body } = await here.rest("PATCH", `/api-keys/${created.id}`, { session, body: changes });
    expect(status).toBe(422);
    expect(body.error.fields).toEqual({ min_signature_version: message });
  });
});

describe("every call with side effects uses up its signature", () => {
  type Call = (owner: Awaited<ReturnType<TestApp["signUp"]>>) => Promise<Prepared>;
  const verification = async () => {
    const { body } = await here.rest("POST", "/verify/start", {
      key: free,
      body: { channel: "email", recipient: address() },
    });
    return body.verification_id;
  };
  const apiKey = async (owner: { session: string }) => {
    const { body } = await here.rest("POST", "/api-keys", { session: owner.session, body: { name: "k" } });
    return body.id;
  };
  const calls: Readonly<Record<string, Call>> = {
    StartVerification: async () => start(free),
    CheckVerification: async () =>
      prepare(free, "POST", "/verify/check", { verification_id: await verification(), code: "000000" }),
    ResendCode: async () => prepare(free, "POST", `/verify/${await verification()}/resend`, {}),
    CancelVerification: async () => prepare(free, "POST", `/verify/${await verification()}/cancel`),
    EraseRecipient: async () => {
      const recipient = address();
      await here.rest("POST", "/verify/start", { key: free, body: { channel: "email", recipient } });
      return prepare(free, "POST", "/verifications/erase", { recipient });
    },
    CreateApiKey: async (owner) => prepare(owner.session, "POST", "/api-keys", { name: "once" }),
    UpdateApiKey: async (owner) =>
      prepare(owner.session, "PATCH", `/api-keys/${await apiKey(owner)}`, { name: "once" }),
    RotateApiKey: async (owner) =>
      prepare(owner.session, "POST", `/api-keys/${await apiKey(owner)}/rotate`, { grace_seconds: 60 }),
    RevokeApiKey: async (owner) => prepare(owner.session, "DELETE", `/api-keys/${await apiKey(owner)}`),
    UpdateWorkspace: async (owner) => prepare(owner.session, "PATCH", "/workspace", { name: "once" }),
    StartEmailVerification: async (owner) => prepare(owner.session, "POST", "/auth/verify-email"),
    CheckEmailVerification: async (owner) => {
      await here.rest("POST", "/auth/verify-email", { session: owner.session });
      return prepare(owner.session, "POST", "/auth/verify-email/check", { code: "1234567" });
    },
  };

  test.each(Object.entries(calls))("%s", async (_name, call) => {
    const prepared = await call(await here.signUp());
    const first = await send(prepared);
    expect(first).toMatchObject({ code: "ok" });
    expect(await send(prepared, there)).toMatchObject(usedBefore);
  });

  /** After these the credential is gone as well. */
  const last: Readonly<Record<string, Call>> = {
    LogoutAll: async (owner) => prepare(owner.session, "POST", "/auth/logout-all"),
    ChangePassword: async (owner) =>
      prepare(owner.session, "POST", "/auth/change-password", {
        current_password: password,
        new_password: "another long password",
      }),
    DeleteAccount: async (owner) => prepare(owner.session, "POST", "/auth/delete-account", { password }),
  };

  test.each(Object.entries(last))("%s, which ends the credential", async (_name, call) => {
    const { rows: before } = await database.query("SELECT count(*)::int AS count FROM used_signature");
    const prepared = await call(await here.signUp());
    expect(await send(prepared)).toMatchObject({ code: "ok" });
    const { rows: after } = await database.query("SELECT count(*)::int AS count FROM used_signature");
    expect(after[0].count).toBe(before[0].count + 1);
    expect((await send(prepared)).status).toBe(401);
  });

  test("the list above has all calls with side effects", () => {
    const methods = [VerifyService, LookupService, ApiKeyService, AuthService].flatMap((service) => service.methods);
    const effects = methods.filter(
      (method) => hasSideEffects(method) && accessOf(method).credential !== Credential.NONE,
    );
    expect(Object.keys({ ...calls, ...last }).sort()).toEqual(effects.map(({ name }) => name).sort());
  });

  test("over Connect too", async () => {
    for (const client of byteLevelClients.filter(({ name }) => name !== restClient.name)) {
      const t = now();
      const sign = (body: Uint8Array, line: RequestLine) => signature(strict, line, body, t);
      const input = { channel: "email", recipient: address() };
      expect((await client.call(here, "StartVerification", input, { key: strict, sign })).code).toBe("ok");
      expect((await client.call(there, "StartVerification", input, { key: strict, sign })).code).toBe(
        "signature_invalid",
      );
    }
  });
});
