import { type Client, createClient, createConnectRouter, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { createUniversalHandlerClient } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import type { Statement } from "../../src/database/database.ts";
import { type Caller, callerKey, type KeyCaller } from "../../src/rpc/caller.ts";
import { createErrorInterceptor, createErrorReporter } from "../../src/rpc/errors.ts";
import { createIdempotencyInterceptor, hasSideEffects } from "../../src/rpc/idempotency.ts";
import { exposeResponseHeaders } from "../../src/rpc/response-headers.ts";
import { createKeyring, type Keyring } from "../../src/secrets.ts";
import { captureLog } from "../support/log-capture.ts";
import { openRpcDatabase, type RpcDatabase } from "./rpc-database.ts";

export const startMs = Date.parse("2026-06-15T09:40:00Z");
export const claimSeconds = 30;
export const keyring = createKeyring(["a secret that is long enough for it"]);

/** What the implementations of a test do: a row each. */
export const insertEffect: Statement = {
  name: "insert_effect",
  text: "INSERT INTO effect (name) VALUES ($1) RETURNING name",
};

export interface Fixture extends RpcDatabase {
  /** How often something was done, by what. */
  effects(name: string): Promise<number>;
  /** What the table of answers holds of a key, as text. */
  stored(key: string): Promise<string | undefined>;
}

export async function openFixture(): Promise<Fixture> {
  const rpcDatabase = await openRpcDatabase();
  const { database } = rpcDatabase;
  await database.query({ name: "effect_table", text: "CREATE TABLE effect (name text)" }, []);
  return {
    ...rpcDatabase,
    async effects(name) {
      const text = "SELECT count(*)::int AS count FROM effect WHERE name = $1";
      const [row] = await database.query<{ count: number }>({ name: "count_effects", text }, [name]);
      return row?.count ?? 0;
    },
    async stored(key) {
      const text = `
        SELECT slot::text || encode(coalesce(answer_sealed, ''), 'escape') AS text FROM idempotency AS slot
        WHERE key = $1`;
      const [row] = await database.query<{ text: string }>({ name: "read_stored", text }, [key]);
      return row?.text;
    },
  };
}

export const liveCaller: KeyCaller = {
  kind: "key",
  workspaceId: "ws_1",
  workspaceName: "Acme",
  keyId: "key_1",
  keyPrefix: "pk_live_1",
  mode: "live",
  scopes: null,
};

export interface ServerOptions {
  readonly caller?: Caller;
  readonly keyring?: Keyring;
}

export type VerifyClient = Client<typeof VerifyService>;

/** One server in this process with clients of several protocols. Every test may have several of them. */
export function startServer(
  fixture: Fixture,
  implementation: Partial<ServiceImpl<typeof VerifyService>>,
  options: ServerOptions = {},
): { readonly connect: VerifyClient; readonly grpc: VerifyClient; readonly grpcWeb: VerifyClient; logLines: string[] } {
  const { logger, lines } = captureLog();
  const router = createConnectRouter({
    async requestGate(context) {
      exposeResponseHeaders(context);
      context.responseHeader.set("X-Of-The-Gate", "kept");
      context.values.set(callerKey, options.caller ?? liveCaller);
    },
    interceptors: [
      createErrorInterceptor(createErrorReporter(logger, () => "https://byond.example/errors")),
      createIdempotencyInterceptor({
        database: fixture.database,
        keyring: options.keyring ?? keyring,
        logger,
        takesPart: hasSideEffects,
        claimSeconds,
      }),
    ],
  });
  router.service(VerifyService, implementation);
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
