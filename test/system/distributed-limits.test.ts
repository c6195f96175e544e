/** Limits of requests and of sends, as whoever calls meets them: on three real servers, and on one of ours. */

import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { Channel, VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { createMigratedDatabase, startTestApp, type TestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import { ServerProcess } from "../support/processes.ts";
import { StatementsOfCalls } from "../support/statements-of-calls.ts";

interface Answer {
  /** `ok`, or the error's code. */
  readonly code: string;
  readonly headers: Headers;
  /** Of a refusal, in the error itself. */
  readonly retryAfter: number | undefined;
}

interface Send {
  readonly recipient: string;
  readonly endUserIp?: string;
}

type Target = Pick<TestApp, "url" | "rest">;
type HeaderFields = Readonly<Record<string, string>>;

/** One way of calling. */
interface Protocol {
  readonly name: "REST" | "gRPC";
  lookup(target: Target, headers: HeaderFields): Promise<Answer>;
  send(target: Target, headers: HeaderFields, send: Send): Promise<Answer>;
}

const restProtocol: Protocol = {
  name: "REST",
  lookup: (target, headers) => callRest(target, "GET", "/lookup?number=%2B6591234567", { headers }),
  send: (target, headers, { recipient, endUserIp }) =>
    callRest(target, "POST", "/verify/start", {
      headers,
      body: { channel: "email", recipient, ...(endUserIp === undefined ? {} : { end_user_ip: endUserIp }) },
    }),
};

async function callRest(target: Target, ...call: Parameters<TestApp["rest"]>): Promise<Answer> {
  const { status, headers, body } = await target.rest(...call);
  return status < 300
    ? { code: "ok", headers, retryAfter: undefined }
    : { code: body.error.code, headers, retryAfter: body.error.retry_after };
}

const transports = new Map<string, ReturnType<typeof createGrpcTransport>>();

const grpcProtocol: Protocol = {
  name: "gRPC",
  lookup: (target, headers) =>
    callGrpc((options) =>
      createClient(LookupService, transportTo(target)).lookupNumber({ number: "+6591234567" }, { headers, ...options }),
    ),
  send: (target, headers, { recipient, endUserIp }) =>
    callGrpc((options) =>
      createClient(VerifyService, transportTo(target)).startVerification(
        { channel: Channel.EMAIL, recipient, ...(endUserIp === undefined ? {} : { endUserIp }) },
        { headers, ...options },
      ),
    ),
};

function transportTo({ url }: Target) {
  const transport = transports.get(url) ?? createGrpcTransport({ baseUrl: url });
  transports.set(url, transport);
  return transport;
}

async function callGrpc(call: (options: { onHeader(headers: Headers): void }) => Promise<unknown>): Promise<Answer> {
  let headers = new Headers();
  try {
    await call({
      onHeader(received) {
        headers = received;
      },
    });
    return { code: "ok", headers, retryAfter: undefined };
  } catch (error) {
    const failure = ConnectError.from(error);
    const [info] = failure.findDetails(ErrorInfoSchema);
    if (info === undefined) {
      throw failure;
    }
    return { code: info.code, headers: failure.metadata, retryAfter: info.retryAfter };
  }
}

const protocols = [restProtocol, grpcProtocol];

/** The limits of a server with these variables in its environment. */
const limitsBy = (environment: Readonly<Record<string, string>>) =>
  limitsOf({ SIGN_UP_LIMIT: "1000000", ...environment });

async function startLimited(environment: Readonly<Record<string, string>>): Promise<TestApp> {
  const app = await startTestApp(limitsBy(environment));
  onTestFinished(() => app[Symbol.asyncDispose]());
  return app;
}

/** Keys of one new workspace: their values, and what changes one of them. */
async function newWorkspace(app: TestApp) {
  const { session } = await app.signUp();
  return {
    session,
    async mint(input: Readonly<Record<string, unknown>> = {}): Promise<{ id: string; credential: HeaderFields }> {
      const { body } = await app.rest("POST", "/api-keys", {
        session,
        body: { name: "a key", mode: "test", ...input },
      });
      return { id: body.id, credential: { "x-api-key": body.key } };
    },
  };
}

async function codesOf(count: number, call: (index: number) => Promise<Answer>): Promise<string[]> {
  const codes: string[] = [];
  for (let index = 0; index < count; index += 1) {
    codes.push((await call(index)).code);
  }
  return codes;
}

const allOk = (count: number) => Array.from({ length: count }, () => "ok");

describe("three servers on one database", () => {
  test("of 3,000 requests in 20 s at a limit of 1,000, between 900 and 1,000 are admitted; at 180 a minute none is refused", {
    timeout: 120_000,
  }, async () => {
    await using resources = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    resources.defer(() => database.drop());
    const servers = await Promise.all(
      [1, 2, 3].map(() => ServerProcess.start({ databaseUrl: database.url, environment: { DEFAULT_TIER: "starter" } })),
    );
    for (const server of servers) {
      resources.use(server);
    }
    const [first] = servers;
    const flooding = { "x-api-key": (await first?.mintKey()) ?? "" };
    const steady = { "x-api-key": (await first?.mintKey()) ?? "" };

    const begunAtMs = performance.now();
    /** Sent evenly, to the servers in turn, and over either protocol. */
    const sendEvenly = (credential: HeaderFields, count: number, overMs: number) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          await at(begunAtMs + (index * overMs) / count);
          const [server, protocol] = [servers[index % 3], protocols[Math.floor(index / 3) % 2]];
          if (server === undefined || protocol === undefined) {
            throw new RangeError("there are three servers and two protocols");
          }
          return { protocol: protocol.name, answer: await protocol.lookup(server, credential) };
        }),
      );
    const [flood, trickle] = await Promise.all([sendEvenly(flooding, 3_000, 20_000), sendEvenly(steady, 60, 20_000)]);
    const tookSeconds = (performance.now() - begunAtMs) / 1_000;

    const letIn = flood.filter(({ answer }) => answer.code === "ok");
    const byGrpc = letIn.filter(({ protocol }) => protocol === "gRPC").length;
    console.log(
      `limits: ${letIn.length} of 3,000 let in within ${tookSeconds.toFixed(1)} s at a limit of 1,000 (${byGrpc} by gRPC)`,
    );
    expect(tookSeconds).toBeLessThan(60);
    expect(new Set(flood.map(({ answer }) => answer.code))).toEqual(new Set(["ok", "rate_limited"]));
    expect(letIn.length).toBeLessThanOrEqual(1_000);
    expect(letIn.length).toBeGreaterThanOrEqual(900);
    expect(byGrpc).toBeGreaterThan(letIn.length / 3);
    expect(byGrpc).toBeLessThan((letIn.length * 2) / 3);
    expect(trickle.filter(({ answer }) => answer.code !== "ok")).toEqual([]);
    for (const { answer } of flood.filter(({ answer: { code } }) => code === "rate_limited")) {
      expect(answer.headers.get("x-ratelimit-limit")).toBe("1000");
      expect(answer.headers.get("x-ratelimit-remaining")).toBe("0");
      expect(answer.headers.get("retry-after")).toBe(String(answer.retryAfter));
    }
  });
});

/** Resolves at a moment of the monotonic clock. */
function at(moment: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now())));
}

describe.each(protocols)("over $name", (protocol) => {
  test("answers report what is left of the key's and the workspace's limits; refusals report when to retry", async () => {
    const app = await startLimited({ DEFAULT_TIER: "builder" });
    const { session, mint } = await newWorkspace(app);
    const { id, credential } = await mint({ requests_per_minute: 3 });
    const answers: Answer[] = [];
    for (let call = 0; call < 4; call += 1) {
      answers.push(await protocol.lookup(app, credential));
    }
    const told = (name: string) => answers.map(({ headers }) => headers.get(name));
    expect(answers.map(({ code }) => code)).toEqual([...allOk(3), "rate_limited"]);
    expect(told("x-ratelimit-limit")).toEqual(["3", "3", "3", "3"]);
    expect(told("x-ratelimit-remaining")).toEqual(["2", "1", "0", "0"]);
    const nowSeconds = Date.now() / 1_000;
    for (const reset of told("x-ratelimit-reset").map(Number)) {
      expect(reset).toBeGreaterThan(nowSeconds);
      expect(reset).toBeLessThanOrEqual(nowSeconds + 72);
    }
    const [success, , , refusal] = answers;
    expect(success?.headers.get("ratelimit-policy")).toBe('"key";q=3;w=60, "workspace";q=5000;w=60');
    expect(success?.headers.get("ratelimit")).toMatch(/^"key";r=2;t=\d+, "workspace";r=49\d\d;t=\d+$/);
    expect(success?.headers.get("retry-after")).toBeNull();
    expect(refusal?.headers.get("ratelimit-policy")).toBe('"key";q=3;w=60');
    expect(refusal?.headers.get("ratelimit")).toMatch(/^"key";r=0;t=\d+$/);
    expect(Number(refusal?.headers.get("retry-after"))).toBeGreaterThan(0);
    // 61 buckets of a second count, and a batch may be charged to the next second.
    expect(Number(refusal?.headers.get("retry-after"))).toBeLessThanOrEqual(62);
    expect(refusal?.headers.get("retry-after")).toBe(String(refusal?.retryAfter));

    // Another key of the workspace is not concerned, and a raised limit holds at once.
    const other = await mint();
    expect((await protocol.lookup(app, other.credential)).headers.get("x-ratelimit-limit")).toBe("5000");
    await app.rest("PATCH", `/api-keys/${id}`, { session, body: { requests_per_minute: 5 } });
    expect(await codesOf(3, () => protocol.lookup(app, credential))).toEqual(["ok", "ok", "rate_limited"]);
  });

  test("a request after the time in Retry-After is admitted", async () => {
    const app = await startLimited({ DEFAULT_TIER: "builder" });
    const { credential } = await (await newWorkspace(app)).mint({ requests_per_minute: 2 });
    expect(await codesOf(2, () => protocol.lookup(app, credential))).toEqual(allOk(2));
    const refusal = await protocol.lookup(app, credential);
    await app.time.advance({ seconds: refusal.retryAfter ?? 0 });
    expect((await protocol.lookup(app, credential)).code).toBe("ok");
  });

  test("without limits, no header mentions them", async () => {
    const app = await startLimited({ DEFAULT_TIER: "unlimited" });
    const { credential } = await (await newWorkspace(app)).mint();
    const { code, headers } = await protocol.lookup(app, credential);
    expect(code).toBe("ok");
    expect([...headers.keys()].filter((name) => name.includes("ratelimit"))).toEqual([]);
  });

  test("END_USER_SEND_LIMIT: one end user cannot have codes sent to many recipients", async () => {
    const app = await startLimited({ DEFAULT_TIER: "unlimited", END_USER_SEND_LIMIT: "3" });
    const { credential } = await (await newWorkspace(app)).mint();
    let recipients = 0;
    const sendFor = (endUserIp: string | undefined, key = credential) => {
      recipients += 1;
      const send = { recipient: `user-${recipients}@example.com`, ...(endUserIp === undefined ? {} : { endUserIp }) };
      return protocol.send(app, key, send);
    };
    expect(await codesOf(4, () => sendFor("192.0.2.1"))).toEqual([...allOk(3), "rate_limited"]);
    const refusal = await sendFor("192.0.2.1");
    // One of three an hour: there is room for the next after 20 minutes.
    expect(refusal.retryAfter).toBeGreaterThan(1_100);
    expect(refusal.retryAfter).toBeLessThanOrEqual(1_200);
    expect(refusal.headers.get("retry-after")).toBe(String(refusal.retryAfter));
    expect((await sendFor("192.0.2.2")).code).toBe("ok");
    expect(await codesOf(4, (index) => sendFor(`2001:db8:0:1::${index}`))).toEqual([...allOk(3), "rate_limited"]);
    expect((await sendFor("2001:db8:0:2::1")).code).toBe("ok");
    expect((await sendFor("::ffff:192.0.2.1")).code).toBe("rate_limited");
    // Nobody is named, or by another workspace.
    expect(await codesOf(5, () => sendFor(undefined))).toEqual(allOk(5));
    const elsewhere = await (await newWorkspace(app)).mint();
    expect((await sendFor("192.0.2.1", elsewhere.credential)).code).toBe("ok");
    await app.time.advance({ seconds: refusal.retryAfter ?? 0 });
    expect(await codesOf(2, () => sendFor("192.0.2.1"))).toEqual(["ok", "rate_limited"]);
  });

  test("SOURCE_SEND_LIMIT: counts by the address that the proxy saw, not by one that the caller claims", async () => {
    const app = await startLimited({
      DEFAULT_TIER: "unlimited",
      SOURCE_SEND_LIMIT: "4",
      TRUSTED_PROXIES: "127.0.0.1, ::1",
    });
    const { credential } = await (await newWorkspace(app)).mint();
    let recipients = 0;
    const sendFrom = (forwardedFor: string) => {
      recipients += 1;
      const headers = { ...credential, "x-forwarded-for": forwardedFor };
      return protocol.send(app, headers, { recipient: `user-${recipients}@example.com` });
    };
    const beforeMs = performance.now();
    const fromOne = await codesOf(5, (index) => sendFrom(`198.51.100.${index}, 192.0.2.1`));
    // They count for a minute.
    expect(performance.now() - beforeMs).toBeLessThan(60_000);
    expect(fromOne).toEqual([...allOk(4), "rate_limited"]);
    const refusal = await sendFrom("192.0.2.1");
    expect(refusal.retryAfter).toBeGreaterThan(0);
    expect(refusal.retryAfter).toBeLessThanOrEqual(70);
    expect((await sendFrom("192.0.2.2")).code).toBe("ok");
    expect(await codesOf(5, (index) => sendFrom(`2001:db8::${index}`))).toEqual([...allOk(4), "rate_limited"]);
    expect((await protocol.lookup(app, { ...credential, "x-forwarded-for": "192.0.2.1" })).code).toBe("ok");
  });

  test("a lookup with a cached key runs no statement, except one for a batch of quota tokens", async () => {
    const app = await startLimited({ DEFAULT_TIER: "builder" });
    const { credential } = await (await newWorkspace(app)).mint({ requests_per_minute: 4_000 });
    await protocol.lookup(app, credential);
    using statements = new StatementsOfCalls();
    const begunAtMs = performance.now();
    expect(await codesOf(500, () => protocol.lookup(app, credential))).toEqual(allOk(500));
    const tookSeconds = (performance.now() - begunAtMs) / 1_000;
    const names = statements.names();
    const batches = names.filter((name) => name === "quota_reserve").length;
    console.log(`limits: ${batches} batches for 500 lookups in ${tookSeconds.toFixed(1)} s, over ${protocol.name}`);
    expect(names.filter((name) => name !== "quota_reserve")).toEqual([]);
    expect(batches).toBeGreaterThan(0);
    // Of two limits. Batches double until one is what a second needs; then there is one a second.
    expect(batches).toBeLessThan(2 * (10 + 2 * tookSeconds));
  });
});
