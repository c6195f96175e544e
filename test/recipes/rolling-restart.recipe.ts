/** The proxies of `deploy/`, each in front of the same two servers, which are restarted one after the other. */

import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { missingOf } from "../clients/toolchains.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../system/load.ts";
import type { MainProcess } from "../system/main-process.ts";
import { startExampleServer } from "./example-server.ts";
import { type RunningProxy, recipes, startProxy } from "./proxies.ts";
import { SecureClient } from "./secure-client.ts";

const restCallsMin = 1_000;
const grpcCallsMin = 200;
const lookUpPath = "/api/v1/lookup?number=%2B6591234567";

const isInstalled = (program: string) => missingOf([program]) === undefined;
const programs = recipes.map(({ program }) => program).filter(isInstalled);
for (const { program } of recipes.filter((recipe) => !isInstalled(recipe.program))) {
  test.skipIf(true)(`${program} is not installed`, () => undefined);
}

describe.skipIf(programs.length === 0)(`two servers behind ${programs.join(", ")}`, () => {
  const resources = new AsyncDisposableStack();
  const servers: MainProcess[] = [];
  const proxies = new Map<string, RunningProxy>();
  let databaseUrl: string;
  let ports: readonly [number, number];
  let session: string;

  beforeAll(async () => {
    const database = await createMigratedDatabase();
    resources.defer(() => database.drop());
    databaseUrl = database.url;
    ports = [await freePort(), await freePort()];
    resources.defer(async () => void (await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))));
    for (const port of ports) {
      servers.push(await startExampleServer(port, databaseUrl));
    }
    const addresses = [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`] as const;
    for (const recipe of recipes.filter(({ program }) => programs.includes(program))) {
      proxies.set(recipe.program, resources.use(await startProxy(recipe, addresses)));
    }
    using client = new SecureClient(behind(programs[0] ?? ""));
    const account = { email: "ada@example.com", password: "correct horse battery", name: "Acme" };
    const { text } = await client.call("/api/v1/auth/sign-up", { method: "POST", body: account });
    session = JSON.parse(text).access_token;
  });
  afterAll(() => resources.disposeAsync());

  function behind(program: string): RunningProxy {
    const proxy = proxies.get(program);
    if (proxy === undefined) {
      throw new Error(`${program} does not run`);
    }
    return proxy;
  }

  async function mintKey(program: string, more: object = {}): Promise<string> {
    using client = new SecureClient(behind(program));
    const { text } = await client.call("/api/v1/api-keys", {
      method: "POST",
      headers: { Authorization: `Bearer ${session}` },
      body: { name: "key", mode: "test", ...more },
    });
    return JSON.parse(text).key;
  }

  /** A client over gRPC, on one connection, that repeats nothing. */
  function grpc(program: string, headers: Readonly<Record<string, string>>, from = "127.0.0.1") {
    const { port, authority } = behind(program);
    return createClient(
      LookupService,
      createGrpcTransport({
        baseUrl: `https://localhost:${port}`,
        nodeOptions: {
          createConnection: () =>
            connectTls({
              socket: connect({ host: "127.0.0.1", port, localAddress: from }),
              servername: "localhost",
              ca: authority,
              ALPNProtocols: ["h2"],
            }),
        },
        interceptors: [
          (next) => (request) => {
            for (const [name, value] of Object.entries(headers)) {
              request.header.set(name, value);
            }
            return next(request);
          },
        ],
      }),
    );
  }

  test.each(programs)(
    "%s: the client's address is the one that the proxy sees, and not what the client says",
    async (program) => {
      const key = await mintKey(program, { ip_allowlist: ["127.0.0.2/32"] });
      using client = new SecureClient(behind(program));
      expect((await client.call(lookUpPath, { key, from: "127.0.0.2" })).status).toBe(200);
      const claim = { "X-Forwarded-For": "127.0.0.2" };
      expect((await client.call(lookUpPath, { key, from: "127.0.0.3", headers: claim })).status).toBe(403);
      const lookUp = (from: string, more: Readonly<Record<string, string>> = {}) =>
        grpc(program, { "x-api-key": key, ...more }, from).lookupNumber({ number: "+6591234567" });
      expect((await lookUp("127.0.0.2")).country).toBe("Singapore");
      await expect(lookUp("127.0.0.3", claim)).rejects.toThrow(/permission_denied/);
    },
  );

  test.each(programs)("%s: the head of a stream of events arrives before an event does", async (program) => {
    using client = new SecureClient(behind(program));
    const key = await mintKey(program);
    expect(await client.headOf("/api/v1/events/stream", { key })).toBe(200);
  });

  test(`a rolling restart loses no call through ${programs.join(", ")}`, async () => {
    const done = new AbortController();
    const loads = new Map(
      await Promise.all(
        programs.map(async (program) => [program, startLoad(program, await mintKey(program), done.signal)] as const),
      ),
    );
    for (const [index, port] of ports.entries()) {
      expect(await servers[index]?.stop()).toEqual({ code: 0, signal: null });
      const next = await startExampleServer(port, databaseUrl);
      servers[index] = next;
      await until("each proxy uses it again", 60_000, () =>
        programs.every((program) => next.log.includes(`"client_request_id":"${program}-`)),
      );
    }
    done.abort();
    for (const [program, load] of loads) {
      const { restCalls, grpcCalls, lost } = await load;
      expect([program, lost, behind(program).written()]).toEqual([program, [], expect.anything()]);
      expect(restCalls).toBeGreaterThanOrEqual(restCallsMin);
      expect(grpcCalls).toBeGreaterThanOrEqual(grpcCallsMin);
    }
  });

  /** Calls over REST and gRPC until there were enough and the signal aborts. Says which of them did not do what they should. */
  async function startLoad(program: string, key: string, done: AbortSignal) {
    using client = new SecureClient(behind(program));
    const calls = { rest: 0, grpc: 0 };
    const lost: string[] = [];
    const repeat = async (protocol: "rest" | "grpc", min: number, call: (index: number) => Promise<unknown>) => {
      while (!done.aborted || calls[protocol] < min) {
        calls[protocol] += 1;
        await call(calls[protocol]).catch((error: unknown) => lost.push(`${protocol}: ${error}`));
        // So that the machine has something left for the servers that start.
        await pause(30);
      }
    };
    const rest = async (index: number) => {
      const headers = { "X-Request-Id": `${program}-${index}` };
      const body = { channel: "email", recipient: `${program}-${index}@example.com` };
      const [{ status, text }, expected] =
        index % 2 === 0
          ? [await client.call(lookUpPath, { key, headers }), 200]
          : [await client.call("/api/v1/verify/start", { method: "POST", key, headers, body }), 201];
      if (status !== expected) {
        throw new Error(`${status} ${text}`);
      }
    };
    const { lookupNumber } = grpc(program, { "x-api-key": key });
    await Promise.all([
      ...Array.from({ length: 5 }, () => repeat("rest", restCallsMin, rest)),
      repeat("grpc", grpcCallsMin, () => lookupNumber({ number: "+6591234567" })),
    ]);
    return { restCalls: calls.rest, grpcCalls: calls.grpc, lost };
  }
});
