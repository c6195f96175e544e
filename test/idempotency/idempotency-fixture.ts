import {
  type Client,
  ConnectError,
  createClient,
  createConnectRouter,
  createServiceImplSpec,
  type ServiceImpl,
  type Transport,
} from "@connectrpc/connect";
import { createAsyncIterable, createUniversalHandlerClient, readAllBytes } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { StartVerificationResponseSchema, VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { type Caller, callerKey, type KeyCaller, type SessionCaller } from "../../src/access/caller.ts";
import { createKeyring, type Keyring } from "../../src/crypto/keyring.ts";
import { statement, text } from "../../src/database/statement.ts";
import { commitWithAnswer } from "../../src/idempotency/idempotency-claim.ts";
import { createIdempotencyInterceptor } from "../../src/idempotency/idempotency-interceptor.ts";
import type { Chain } from "../../src/rpc/chain.ts";
import { createRestGateway } from "../../src/rpc/rest-gateway.ts";
import type { ServiceBinding } from "../../src/rpc/router.ts";
import { createErrorInterceptor, createErrorReporter } from "../../src/rpc/wire-errors.ts";
import { exposeResponseHeaders } from "../../src/server/response-headers.ts";
import { openRpcDatabase, type RpcDatabase } from "../rpc/rpc-database.ts";
import { captureLog } from "../support/log-capture.ts";
import { querySql } from "../support/sql.ts";

export const startMs = Date.parse("2026-06-15T09:40:00Z");
export const claimSeconds = 30;
export const keyring = createKeyring(["a secret that is long enough for it"]);

/** What the implementations of a test do: a row each. */
export const insertEffect = statement<{ name: string }>("insert_effect")(
  { name: text },
  (p) => `INSERT INTO effect (name) VALUES (${p.name}) RETURNING name`,
);

export interface Fixture extends RpcDatabase {
  /** How often something was done, by what. */
  effects(name: string): Promise<number>;
  /** What the table of answers holds of a key, as text. */
  stored(key: string): Promise<string | undefined>;
}

export async function openFixture(): Promise<Fixture> {
  const rpcDatabase = await openRpcDatabase();
  const { database } = rpcDatabase;
  await querySql(database, { name: "effect_table", text: "CREATE TABLE effect (name text)" }, []);
  return {
    ...rpcDatabase,
    async effects(name) {
      const text = "SELECT count(*)::int AS count FROM effect WHERE name = $1";
      const [row] = await querySql<{ count: number }>(database, { name: "count_effects", text }, [name]);
      return row?.count ?? 0;
    },
    async stored(key) {
      const text = `
        SELECT slot::text || encode(coalesce(answer_sealed, ''), 'escape') AS text FROM idempotency AS slot
        WHERE key = $1`;
      const [row] = await querySql<{ text: string }>(database, { name: "read_stored", text }, [key]);
      return row?.text;
    },
  };
}

export const liveCaller: KeyCaller = {
  kind: "key",
  workspaceId: "ws_1",
  workspaceName: "Acme",
  tier: "starter",
  keyId: "key_1",
  keyPrefix: "pk_live_1",
  mode: "live",
  scopes: null,
  ipAllowlists: [],
  origins: null,
  requestsPerMinute: null,
  isVerified: true,
  lookupHistory: false,
  requiredSignature: null,
  revision: 0,
};

export const sessionCaller: SessionCaller = {
  kind: "session",
  workspaceId: "ws_1",
  tier: "starter",
  userId: "usr_1",
  sessionId: "session_1",
  isVerified: true,
};

export interface ServerOptions {
  readonly caller?: Caller;
  readonly keyring?: Keyring;
}

export type VerifyClient = Client<typeof VerifyService>;

export interface Server {
  readonly connect: VerifyClient;
  readonly grpc: VerifyClient;
  readonly grpcWeb: VerifyClient;
  /** `POST /api/v1/verify/start`. */
  restStart(recipient: string, key: string): Promise<{ status: number; headers: Headers; body: string }>;
  readonly logLines: readonly string[];
}

/** One server in this process, spoken to over every protocol. A test may have several of them. */
export function startServer(
  fixture: Fixture,
  implementation: Partial<ServiceImpl<typeof VerifyService>>,
  options: ServerOptions = {},
): Server {
  const { logger, lines } = captureLog();
  const errors = createErrorReporter(logger, () => "https://byond.example/errors");
  const chain: Chain = {
    async requestGate(context) {
      exposeResponseHeaders(context);
      context.responseHeader.set("X-Of-The-Gate", "kept");
      context.values.set(callerKey, options.caller ?? liveCaller);
    },
    readMessage() {
      throw new Error("Connect's own handlers read the messages here");
    },
    interceptors: [
      createErrorInterceptor(errors),
      createIdempotencyInterceptor({
        database: fixture.database,
        keyring: options.keyring ?? keyring,
        logger,
        claimSeconds,
      }),
    ],
  };
  const binding: ServiceBinding = {
    service: VerifyService,
    spec: createServiceImplSpec(VerifyService, implementation),
    register: (router) => router.service(VerifyService, implementation),
  };
  const shutdown = new AbortController();
  const gateway = createRestGateway([binding], chain, errors, shutdown.signal);
  const router = createConnectRouter({ requestGate: chain.requestGate, interceptors: [...chain.interceptors] });
  binding.register(router);
  const transport = {
    httpClient: createUniversalHandlerClient(router.handlers),
    baseUrl: "https://in-memory",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 1e6,
    readMaxBytes: 1e6,
    writeMaxBytes: 1e6,
  };
  const client = (made: Transport) => createClient(VerifyService, made);
  return {
    connect: client(createConnectTransport({ ...transport, useBinaryFormat: false })),
    grpc: client(createGrpcTransport(transport)),
    grpcWeb: client(createGrpcWebTransport(transport)),
    async restStart(recipient, key) {
      const body = Buffer.from(JSON.stringify({ channel: "email", recipient }));
      const answer = await gateway.handle({
        httpVersion: "1.1",
        method: "POST",
        url: "http://in-memory/api/v1/verify/start",
        header: new Headers({ "Content-Type": "application/json", "Idempotency-Key": key }),
        body: createAsyncIterable([body]),
        signal: new AbortController().signal,
      });
      const bytes = await readAllBytes(answer.body ?? createAsyncIterable([]), 1e6);
      return { status: answer.status, headers: answer.header ?? new Headers(), body: Buffer.from(bytes).toString() };
    },
    logLines: lines,
  };
}

/** Options of a call with an idempotency key, and what its answer said in headers. */
export function withKey(key: string) {
  const seen = new Headers();
  return {
    seen,
    options: {
      headers: { "Idempotency-Key": key },
      onHeader: (headers: Headers) => {
        for (const [name, value] of headers) {
          seen.set(name, value);
        }
      },
    },
  };
}

/** A server whose answers are stored with their effects, in one transaction. Each has one effect, of the given name. */
export function startTogether(fixture: Fixture, effect: string, id = () => `vrf_${Math.random()}`): Server {
  return startServer(fixture, {
    startVerification: (_request, context) =>
      commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
        await queryable.run(insertEffect, { name: effect });
        return { verificationId: id() };
      }),
  });
}

/** The code that a call fails with. Undefined if it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.code;
  }
}
