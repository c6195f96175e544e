/** The same services twice: behind our port, router and short way of unary calls, and behind Connect's own adapter for Node. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import type { Authenticator } from "../../../src/access/authorize.ts";
import { authFieldChecks } from "../../../src/capabilities/accounts/auth.rpc.ts";
import { apiKeyFieldChecks } from "../../../src/capabilities/keys/api-key.rpc.ts";
import { lookupFieldChecks } from "../../../src/capabilities/lookup/lookup.rpc.ts";
import { verifyFieldChecks } from "../../../src/capabilities/verify/verify.rpc.ts";
import { systemClock } from "../../../src/clock.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { createLogger } from "../../../src/observe/log.ts";
import { requestRecordKey } from "../../../src/observe/request-record.ts";
import { Quota } from "../../../src/quota/quota.ts";
import { currentApiVersion } from "../../../src/rpc/api-versions.ts";
import { type Chain, createChain } from "../../../src/rpc/chain.ts";
import { createMalformedRequests } from "../../../src/rpc/malformed-request.ts";
import { maxMessageBytes } from "../../../src/rpc/message-size.ts";
import { strictJson } from "../../../src/rpc/readable-message.ts";
import { createRpcHandlers } from "../../../src/rpc/router.ts";
import { createErrorReporter, type ErrorReporter } from "../../../src/rpc/wire-errors.ts";
import { createCors } from "../../../src/server/cors.ts";
import { openOnePort } from "../../../src/server/one-port.ts";
import { createRequestHandler } from "../../../src/server/request-handler.ts";
import { RequestMetrics } from "../../../src/server/request-metrics.ts";
import { allMethods } from "../../wire/request-messages.ts";
import { validKey, validSession } from "./generated-request.ts";
import { bindStub } from "./stub-services.ts";

/** All services of the schema. */
export const services: readonly DescService[] = [...new Set((await allMethods()).map(({ parent }) => parent))];

/** The unary RPCs of the services. */
export const unaryRpcs = services
  .flatMap(({ methods }) => methods)
  .filter((method): method is DescMethodUnary => method.methodKind === "unary");

/** What the schema cannot say of requests, as far as no setting decides it. */
export const fieldChecks = [
  ...lookupFieldChecks,
  ...verifyFieldChecks,
  ...authFieldChecks,
  ...apiKeyFieldChecks(["verify", "lookup", "keys"]),
];

/** Answers of this size are compressed, if the client takes that. */
const compressMinBytes = 512;
const logger = createLogger(() => undefined);

function neverAsked(): never {
  throw new Error("no request of the fuzz gets to the database");
}

const authenticator: Authenticator = {
  authenticateKey: (key) =>
    key === validKey
      ? {
          caller: {
            kind: "key",
            workspaceId: "ws_1",
            workspaceName: "Acme",
            tier: "unlimited",
            keyId: "key_1",
            keyPrefix: "pk_live_0123456789ab",
            mode: "live",
            scopes: ["*"],
            ipAllowlists: [],
            origins: null,
            requestsPerMinute: null,
            isVerified: true,
            lookupHistory: false,
            requiredSignature: null,
            revision: 1,
          },
          basis: { subjects: [], asOf: 0 },
        }
      : undefined,
  authenticateSession: (token) =>
    token === validSession
      ? {
          caller: {
            kind: "session",
            workspaceId: "ws_1",
            tier: "unlimited",
            userId: "usr_1",
            sessionId: "ses_1",
            isVerified: true,
          },
          basis: { subjects: [], asOf: 0 },
        }
      : undefined,
};

/** All errors of both sides tell of the same request, so that their bytes can be compared. */
function createReporter(): ErrorReporter {
  const reporter = createErrorReporter(logger, () => "http://127.0.0.1/docs/errors");
  return { ...reporter, toErrorInfo: (error) => reporter.toErrorInfo(error, "req_0") };
}

function openChain(errors: ErrorReporter): Chain {
  return createChain({
    services,
    openServices: [],
    authenticator,
    revocation: { track: () => ({ done: () => undefined }), catchUp: async () => undefined },
    errors,
    fieldChecks,
    quota: new Quota({ reserve: neverAsked }, systemClock),
    clock: systemClock,
    idempotency: { database: { run: neverAsked }, keyring: createKeyring(["not a secret: nothing is kept"]), logger },
    endsAtDeadline: () => true,
  });
}

/** Where one of the two servers takes requests. */
export interface Side {
  readonly http1: string;
  readonly http2: string;
}

export interface TwoServers extends AsyncDisposable {
  readonly ours: Side;
  readonly connects: Side;
}

/** Opens both. They share the services, their implementation, the gate and the interceptors. */
export async function openTwoServers(): Promise<TwoServers> {
  const errors = createReporter();
  const chain = openChain(errors);
  const bindings = services.map(bindStub);
  const shutdown = new AbortController();
  const handlers = createRpcHandlers(bindings, [], chain, errors, shutdown.signal, {
    compressMinBytes,
  });
  const malformed = createMalformedRequests(errors, logger, createCors([]));
  const port = await openOnePort({
    host: "127.0.0.1",
    port: 0,
    onRequest: createRequestHandler({
      clock: systemClock,
      logger,
      proxyTrust: { header: "x-forwarded-for", trustedProxies: [] },
      metrics: new RequestMetrics(),
      apiVersion: currentApiVersion,
      pages: new Map(),
      calls: handlers,
      rest: async () => ({ status: 404 }),
    }),
    onMalformed: malformed.refuse,
    malformedContent: malformed.content,
    onError: (error) => {
      throw error;
    },
  });
  const adapter = connectNodeAdapter({
    routes: (router) => {
      for (const { register } of bindings) {
        register(router);
      }
    },
    interceptors: [...chain.interceptors],
    requestGate: chain.requestGate,
    jsonOptions: strictJson,
    readMaxBytes: maxMessageBytes,
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes,
    shutdownSignal: shutdown.signal,
    contextValues: () => {
      const record = { requestId: "req_0", route: undefined, key: undefined, errorCode: undefined, rpcCode: undefined };
      return createContextValues().set(requestRecordKey, record);
    },
  });
  const http1 = createServer(adapter);
  const http2 = createHttp2Server(adapter);
  // A connection that was closed for being idle, just as a request is sent on it, is no answer to compare.
  http1.keepAliveTimeout = 0;
  return {
    ours: { http1: port.url, http2: port.url },
    connects: { http1: await listen(http1), http2: await listen(http2) },
    async [Symbol.asyncDispose]() {
      http1.closeAllConnections();
      http1.close();
      http2.close();
      await port.close(0);
    },
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port }: AddressInfo = Object(server.address());
  return `http://127.0.0.1:${port}`;
}
