import type { Registry } from "@bufbuild/protobuf";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { systemClock } from "../../src/clock.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { createLogger } from "../../src/observe/log.ts";
import { Quota } from "../../src/quota/quota.ts";
import { currentApiVersion } from "../../src/rpc/api-versions.ts";
import { type Chain, createChain } from "../../src/rpc/chain.ts";
import { createMalformedRequests } from "../../src/rpc/malformed-request.ts";
import { createRpcHandlers, type ServiceBinding } from "../../src/rpc/router.ts";
import { answerUnknownRpc, isGrpc } from "../../src/rpc/unknown-rpc.ts";
import { createErrorReporter } from "../../src/rpc/wire-errors.ts";
import { createCors } from "../../src/server/cors.ts";
import { type OnePort, type OnePortOptions, openOnePort } from "../../src/server/one-port.ts";
import { type CallHandler, createRequestHandler } from "../../src/server/request-handler.ts";
import { RequestMetrics } from "../../src/server/request-metrics.ts";

/** Thrown for the error that a request of the suite asks for. No `ConnectError` itself: `instanceof` takes each of those for any other. */
export class RequestedError extends Error {
  readonly requested: ConnectError;

  constructor(requested: ConnectError) {
    super(requested.message);
    this.requested = requested;
  }
}

export interface ServerUnderTestOptions extends Pick<OnePortOptions, "tls"> {
  readonly binding: ServiceBinding;
  /** The messages that others of the service hold. */
  readonly registry: Registry;
}

const logger = createLogger(() => undefined);
const errors = createErrorReporter(logger, () => "http://127.0.0.1/docs/errors");

/** Its service is open, so that nothing below is asked. */
function neverAsked(): never {
  throw new Error("an open service needs no credential and no database");
}

function conformanceChain({ service }: ServiceBinding): Chain {
  const chain = createChain({
    services: [],
    openServices: [service],
    authenticator: { authenticateKey: neverAsked, authenticateSession: neverAsked },
    revocation: { track: neverAsked, catchUp: neverAsked },
    errors,
    fieldChecks: [],
    quota: new Quota({ reserve: neverAsked }, systemClock),
    clock: systemClock,
    idempotency: { database: { run: neverAsked }, keyring: createKeyring(["not a secret: nothing is kept"]), logger },
    endsAtDeadline: () => true,
  });
  const undoError = (error: unknown) => {
    throw asTheSuiteExpects(error);
  };
  return {
    requestGate: async (context) => {
      try {
        await chain.requestGate(context);
      } catch (error) {
        undoError(error);
      }
    },
    readMessage: (context, format) => chain.readMessage(context, format).catch(undoError),
    interceptors: [undoErrors, ...chain.interceptors],
  };
}

/** Undoes what the chain makes of every error: ours have texts and a detail of our own. */
const undoErrors: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: undoingErrors(response.message) } : response;
  } catch (error) {
    throw asTheSuiteExpects(error);
  }
};

async function* undoingErrors<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw asTheSuiteExpects(error);
  }
}

/** What a request asked for, or the error without our detail. */
function asTheSuiteExpects(error: unknown): unknown {
  const requested = requestedErrorIn(error);
  if (requested !== undefined) {
    return requested;
  }
  return error instanceof ConnectError ? new ConnectError(error.rawMessage, error.code, error.metadata) : error;
}

function requestedErrorIn(error: unknown): ConnectError | undefined {
  if (error instanceof RequestedError) {
    return error.requested;
  }
  return error instanceof Error ? requestedErrorIn(error.cause) : undefined;
}

/** What Byond refuses as no call, it explains: the suite expects a bare status. */
function unexplained(handle: CallHandler): CallHandler {
  return async (received) => {
    const answer = await handle(received);
    return [405, 415, 505].includes(answer.status) ? { status: answer.status } : answer;
  };
}

/** What the port answers where there is no RPC, without our detail. */
const answerUnknownPath: CallHandler = async (received) => {
  if (!isGrpc(received)) {
    return { status: 404 };
  }
  const { status, header, trailer } = answerUnknownRpc(errors, received);
  return { status, header: withoutDetail(header), trailer: withoutDetail(trailer) };
};

function withoutDetail(init: UniversalServerResponse["header"]): Headers {
  const headers = new Headers(init);
  headers.delete("grpc-status-details-bin");
  return headers;
}

/** Opens the port of Byond with the suite's service behind its router and its chain. */
export function openServerUnderTest({ binding, registry, ...tls }: ServerUnderTestOptions): Promise<OnePort> {
  const messages = { compressMinBytes: 0, registry };
  const shutdown = new AbortController();
  const handlers = createRpcHandlers([binding], [], conformanceChain(binding), errors, shutdown.signal, messages);
  const malformed = createMalformedRequests(errors, logger, createCors([]));
  return openOnePort({
    host: "127.0.0.1",
    port: 0,
    ...tls,
    onRequest: createRequestHandler({
      clock: systemClock,
      logger,
      proxyTrust: { header: "x-forwarded-for", trustedProxies: [] },
      metrics: new RequestMetrics(),
      apiVersion: currentApiVersion,
      pages: new Map(),
      calls: new Map([...handlers].map(([path, handle]) => [path, unexplained(handle)])),
      rest: answerUnknownPath,
    }),
    onMalformed: malformed.refuse,
    malformedContent: malformed.content,
    onError: (error) => console.error(error),
  });
}
