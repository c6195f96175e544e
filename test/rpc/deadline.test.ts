import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeEndlessDeadline } from "../../src/rpc/deadline.ts";
import { connectHttp2 } from "../server/port-fixture.ts";
import { useTestApp } from "../support/app.ts";

const app = useTestApp();

/** Node's words when a timer is too long, and passes at once. */
const warnings: Error[] = [];
const noteWarning = (warning: Error) => warnings.push(warning);
beforeEach(() => {
  process.on("warning", noteWarning);
});
afterEach(() => {
  process.off("warning", noteWarning);
  expect(warnings.filter(({ name }) => name === "TimeoutOverflowWarning")).toEqual([]);
});

const watch = "/grpc.health.v1.Health/Watch";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/** A stream over HTTP/2 whose deadline the server alone knows: client libraries have timers of their own. */
async function openStream(path: string, headers: Readonly<Record<string, string>>, body: Buffer) {
  const session = connectHttp2(app.url);
  await once(session, "connect");
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  let received = "";
  let status: unknown;
  stream.setEncoding("latin1");
  stream.on("data", (text: string) => {
    received += text;
  });
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  stream.on("error", () => undefined);
  const ended = once(stream, "end");
  stream.write(body);
  return { session, stream, ended, received: () => received, status: () => status };
}

/** An empty message of protobuf, `{}` of JSON, and a question of reflection: list the services. */
const empty = Buffer.from([0, 0, 0, 0, 0]);
const emptyJson = Buffer.from("\0\0\0\0\u0002{}", "latin1");
const question = Buffer.from([0, 0, 0, 0, 2, 0x3a, 0]);

const grpc = { "content-type": "application/grpc" };

describe("a stream whose deadline has passed ends with deadline_exceeded", () => {
  test("gRPC", async () => {
    const { session, stream, ended, status } = await openStream(watch, { ...grpc, "grpc-timeout": "300m" }, empty);
    stream.end();
    await ended;
    expect(status()).toBe("4");
    session.destroy();
  });

  test.each([
    ["has asked", question],
    ["has asked nothing", Buffer.alloc(0)],
  ])("reflection, while its client keeps it open and %s", async (_what, asked) => {
    const { session, ended, status } = await openStream(reflection, { ...grpc, "grpc-timeout": "300m" }, asked);
    await ended;
    expect(status()).toBe("4");
    session.destroy();
  });

  test.each([
    ["gRPC", { ...grpc, "grpc-timeout": "0m" }, () => undefined, "4"],
    [
      "Connect",
      { "content-type": "application/connect+proto", "connect-timeout-ms": "0" },
      (received: string) => /"code":"(\w+)"/.exec(received)?.[1],
      "deadline_exceeded",
    ],
  ])("reflection, with a deadline that has already passed: %s", async (_what, headers, codeIn, code) => {
    const { session, ended, status, received } = await openStream(reflection, headers, question);
    await ended;
    expect(status() ?? codeIn(received())).toBe(code);
    session.destroy();
  });

  test.each([
    ["gRPC-Web", "application/grpc-web", "grpc-timeout", "300m", empty, "grpc-status: 4\r\n"],
    ["Connect", "application/connect+json", "connect-timeout-ms", "300", emptyJson, '"code":"deadline_exceeded"'],
  ])("%s, over HTTP/1.1", async (_what, contentType, header, timeout, body, end) => {
    const headers = { "Content-Type": contentType, [header]: timeout };
    const response = await fetch(`${app.url}${watch}`, { method: "POST", headers, body });
    expect(await response.text()).toContain(end);
  });
});

describe("a deadline beyond the maximum of a timer is ignored", () => {
  test.each([
    ["grpc-timeout", "99999999H", "application/grpc", empty],
    ["grpc-timeout", "99999999M", "application/grpc-web", empty],
    ["grpc-timeout", "99999999S", "application/grpc", empty],
    ["grpc-timeout", "2147484S", "application/grpc", empty],
    ["connect-timeout-ms", "2147483648", "application/connect+json", emptyJson],
    ["connect-timeout-ms", "9999999999", "application/connect+json", emptyJson],
  ])("a watch with %s: %s goes on", async (name, value, contentType, body) => {
    const { session, stream, ended } = await openStream(watch, { "content-type": contentType, [name]: value }, body);
    stream.end();
    await once(stream, "data");
    const another = openStream(watch, { ...grpc, "grpc-timeout": "300m" }, empty);
    const { session: second, stream: watched, ended: first } = await another;
    watched.end();
    // One that was opened later, and has a deadline, ends before it.
    expect(await Promise.race([first.then(() => "later"), ended.then(() => "earlier")])).toBe("later");
    session.destroy();
    second.destroy();
  });

  test("for unary calls too, over gRPC and Connect", async () => {
    const key = await app.mintKey();
    const { lookup } = app.grpc({ "X-API-Key": key, "grpc-timeout": "99999999H" });
    expect(await lookup.lookupNumber({ number: "+6591234567" })).toMatchObject({ valid: true });
    const headers = { "X-API-Key": key, "Content-Type": "application/json", "Connect-Timeout-Ms": "9999999999" };
    const url = `${app.url}/byond.v1.LookupService/LookupNumber`;
    const response = await fetch(url, { method: "POST", headers, body: '{"number":"+6591234567"}' });
    expect(response.status).toBe(200);
    // Warnings come a tick later.
    await new Promise(setImmediate);
  });

  test.each([
    ["grpc-timeout", "2147483S"],
    ["grpc-timeout", "35791M"],
    ["grpc-timeout", "596H"],
    ["grpc-timeout", "99999999m"],
    ["grpc-timeout", "99999999n"],
    ["grpc-timeout", "999999999S"],
    ["connect-timeout-ms", "2147483647"],
    ["connect-timeout-ms", "99999999999"],
  ])("%s: %s stays", (name, value) => {
    const header = new Headers({ [name]: value });
    removeEndlessDeadline(header);
    expect(header.get(name)).toBe(value);
  });
});

describe("a unary call whose deadline has passed", () => {
  const recipient = (name: string) => ({ channel: "CHANNEL_EMAIL", recipient: `${name}@example.com` });
  let key: string;
  let database: pg.Client;
  let locker: pg.Client;
  beforeAll(async () => {
    key = await app.mintKey();
    [database, locker] = [new pg.Client(app.databaseUrl), new pg.Client(app.databaseUrl)];
    await Promise.all([database.connect(), locker.connect()]);
  });
  afterAll(async () => {
    await Promise.all([database.end(), locker.end()]);
  });

  const verifications = async () => (await database.query("SELECT FROM verification")).rows.length;
  const failures = () => app.logLines.filter((line) => line.includes("call_failed"));

  /** Locks a table until a call waits for it and its time is over; answers what the call came to. */
  async function hold<T>(table: string, timeoutMs: number, call: () => Promise<T>): Promise<T> {
    await locker.query(`BEGIN; LOCK TABLE ${table}`);
    const answer = call();
    const isWaiting = async () =>
      (await database.query("SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass", [table])).rows.length;
    await expect.poll(isWaiting, { timeout: 10_000, interval: 20 }).toBeGreaterThan(0);
    // It has arrived by now, so its time is over after that.
    await new Promise((resolve) => setTimeout(resolve, timeoutMs + 10));
    await locker.query("ROLLBACK");
    return answer;
  }

  async function connectCall(method: string, message: object, headers: Readonly<Record<string, string>>) {
    const answer = await fetch(`${app.url}/byond.v1.${method}`, {
      method: "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(message),
    });
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  }

  test.each(["LookupService/LookupNumber", "VerifyService/StartVerification", "AuthService/SignIn"])(
    "does not start if it has passed from the beginning: %s",
    async (method) => {
      const before = await verifications();
      const message = method.startsWith("Lookup")
        ? { number: "+6591234567" }
        : method.startsWith("Verify")
          ? recipient("nobody")
          : { email: "nobody@example.com", password: "correct horse battery" };
      const headers = method.startsWith("Auth") ? { "X-API-Key": "" } : {};
      const { status, body } = await connectCall(method, message, { "Connect-Timeout-Ms": "0", ...headers });
      expect({ status, code: body.code, detail: body.details[0].debug.code }).toEqual({
        status: 504,
        code: "deadline_exceeded",
        detail: "unavailable",
      });
      expect(await verifications()).toBe(before);
      expect(failures()).toEqual([]);
    },
  );

  test("over gRPC too", async () => {
    const session = connectHttp2(app.url);
    const headers = { ...grpc, "x-api-key": key, "grpc-timeout": "1n" };
    const stream = session.request({
      ":method": "POST",
      ":path": "/byond.v1.VerifyService/ListVerifications",
      ...headers,
    });
    const trailers = once(stream, "trailers");
    stream.resume();
    stream.end(empty);
    expect(Object(await trailers)[0]["grpc-status"]).toBe("4");
    session.destroy();
  });

  /** The first bytes of a message, if any, and never the others. */
  const parts: readonly (readonly [string, Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["a part", Buffer.from([0, 0])],
  ];

  test.each(parts)("and whose client has sent %s of its message", async (_what, part) => {
    for (const path of ["/byond.v1.VerifyService/StartVerification", "/grpc.health.v1.Health/Check", watch]) {
      const headers = { ...grpc, "x-api-key": key, "grpc-timeout": "300m" };
      const { session, ended, status } = await openStream(path, headers, part);
      await ended;
      expect(status()).toBe("4");
      session.destroy();
    }
  });

  test.each([
    ["Connect", "/byond.v1.VerifyService/StartVerification", "Connect-Timeout-Ms: 300", "504", "deadline_exceeded"],
    ["Connect, signing in", "/byond.v1.AuthService/SignIn", "Connect-Timeout-Ms: 300", "504", "deadline_exceeded"],
    ["REST", "/api/v1/verify/start", "Request-Timeout: 0.3", "503", "unavailable"],
  ])("and whose client sends half of its message, over HTTP/1.1: %s", async (_what, path, timeout, status, code) => {
    const { port } = new URL(app.url);
    const socket = connectSocket(Number(port), "127.0.0.1");
    const head = [`POST ${path} HTTP/1.1`, "Host: a", `X-API-Key: ${key}`, "Content-Type: application/json", timeout];
    socket.write(`${head.join("\r\n")}\r\nContent-Length: 50\r\n\r\n{`);
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      received += text;
    });
    await expect.poll(() => received, { timeout: 10_000 }).toContain(`"${code}"`);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
  });

  test("starts no further work, and can be repeated", async () => {
    const before = await verifications();
    const start = (headers: Readonly<Record<string, string>>) =>
      app.rest("POST", "/verify/start", {
        key,
        headers: { "Idempotency-Key": "of a call in a hurry", ...headers },
        body: { channel: "email", recipient: "hurry@example.com" },
      });
    // The claim of the key comes before the verification.
    const { status, body } = await hold("idempotency", 1_500, () => start({ "Request-Timeout": "1.5" }));
    expect({ status, code: body.error.code }).toEqual({ status: 503, code: "unavailable" });
    expect(body.error.retry_after).toBe(1);
    expect(await verifications()).toBe(before);
    expect(failures()).toEqual([]);
    await expect.poll(async () => (await start({})).status, { timeout: 10_000 }).toBe(201);
  });

  test("reports what happened if the work was already in progress", async () => {
    const before = await verifications();
    const headers = { "Connect-Timeout-Ms": "1500" };
    const call = () => connectCall("VerifyService/StartVerification", recipient("under-way"), headers);
    const { status, body } = await hold("verification", 1_500, call);
    expect([status, body.status]).toEqual([200, "STATUS_PENDING"]);
    expect(await verifications()).toBe(before + 1);
  });

  test("reports what was done even if the answer is read after the commit, and its message is sent", async () => {
    const input = { channel: "email", recipient: "again@example.com" };
    const started = await app.rest("POST", "/verify/start", { key, body: input });
    const id = started.body.verification_id;
    await locker.query(`BEGIN; SELECT FROM verification WHERE id = '${id}' FOR UPDATE`);
    const answer = app.rest("POST", `/verify/${id}/resend`, { key, headers: { "Request-Timeout": "1.5" } });
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(async () => (await database.query(waiting)).rows.length, { timeout: 10_000 }).toBe(1);
    // It has arrived by now, so its time is over after that.
    await new Promise((resolve) => setTimeout(resolve, 1_510));
    await locker.query("ROLLBACK");
    const { status, body } = await answer;
    expect([status, body.status]).toEqual([200, "pending"]);
    await expect
      .poll(async () => {
        const { deliveries } = (await app.rest("GET", `/verify/${id}`, { key })).body;
        return deliveries.map((delivery: { status: string }) => delivery.status);
      })
      .toEqual(["sent", "sent"]);
  });

  test("completes a sign-up that has started", async () => {
    const { status, body } = await hold("account", 1_500, () =>
      app.rest("POST", "/auth/sign-up", {
        headers: { "Request-Timeout": "1.5" },
        body: { email: "hurry@example.com", password: "correct horse battery", name: "Hurry" },
      }),
    );
    expect([status, typeof body.access_token]).toEqual([201, "string"]);
  });
});
