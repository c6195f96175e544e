import { type ContextValues, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../clock.ts";
import { createId } from "../crypto/ids.ts";
import { withDeadline } from "../database/call-deadline.ts";
import { type OpenSpan, runInSpan } from "../observe/active-span.ts";
import type { Logger } from "../observe/log.ts";
import { type RecordedKey, type RequestRecord, requestRecordKey } from "../observe/request-record.ts";
import { clientAddressKey, clientAddressOf, type ProxyTrust } from "./client-address.ts";
import type { NodeRequest, NodeResponse } from "./normalize-request.ts";
import { RawHeaders, repeatedHeadersKey } from "./repeated-headers.ts";
import type { RequestMetrics } from "./request-metrics.ts";
import { beginRequestSpan, endRequestSpan, type RequestTracing } from "./request-span.ts";
import { requestTargetKey } from "./request-target.ts";
import { emitterOf, ServerRequest } from "./server-request.ts";
import { type DefaultHeaders, setHeaders, writeResponse } from "./write-response.ts";

/**
 * Answers requests of one path, outside the API, such as health. `hidden`: nothing was answered, and the
 * request gets what an unknown path gets.
 */
export type Page = (request: NodeRequest, response: NodeResponse) => PageOutcome | Promise<PageOutcome>;
export type PageOutcome = "served" | "hidden";

/** Answers one call of the API, whatever its protocol, or of a page that takes the API's credentials. Never throws for what a client can cause. */
export type CallHandler = (request: UniversalServerRequest) => Promise<UniversalServerResponse>;

/** Answers a request at once, if it must not be handled. `defaults` are headers that every answer has. */
export type RequestRefusal = (request: NodeRequest, response: NodeResponse, defaults: DefaultHeaders) => boolean;

/** Says which requests may come from their address, before anything else is done with them. */
export interface AddressGate {
  admits(path: string, clientAddress: () => string | undefined): boolean;
  /** Answers the others. */
  readonly refuse: CallHandler;
}

export interface RequestHandlerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proxyTrust: ProxyTrust;
  readonly metrics: Pick<RequestMetrics, "began" | "ended">;
  /** Whether a request that is over has a line in the log. Default: each has. */
  readonly isLogged?: (route: string, status: number) => boolean;
  /** Called when a request with an API key is over, with the code of the error that it was answered with. */
  readonly onKeyAnswered?: (key: RecordedKey, errorCode: string | undefined) => void;
  /** Undefined: requests are not traced. */
  readonly tracing?: RequestTracing | undefined;
  /** What answers name in `Byond-Version`, unless the request named another. */
  readonly apiVersion: string;
  /** Undefined: requests may come from everywhere. */
  readonly addressGate?: AddressGate | undefined;
  /** Asked before a request is handled. By default no request is refused. */
  readonly refuse?: RequestRefusal;
  /** By exact path, or by folder: `/console/*`. */
  readonly pages: ReadonlyMap<string, Page>;
  /** By exact path: `/byond.v1.VerifyService/StartVerification`, `/dev/inbox`. */
  readonly calls: ReadonlyMap<string, CallHandler>;
  /** Everything else: the REST paths, and what does not exist. */
  readonly rest: CallHandler;
}

/**
 * Takes every well-formed request of the port: gives it an id, sends it where its path leads, and writes one line to the
 * log when it is over.
 */
export function createRequestHandler(
  options: RequestHandlerOptions,
): (request: NodeRequest, response: NodeResponse) => void {
  const { refuse = () => false, addressGate, proxyTrust, tracing } = options;
  const addressOf = ({ socket, headers }: NodeRequest) =>
    clientAddressOf(proxyTrust, socket.remoteAddress, { get: (name) => headers[name]?.toString() ?? null });
  const findPage = pageFinder(options);
  const allDefaults = {
    "Byond-Version": options.apiVersion,
    // Answers belong to the caller who asked: caches may keep them only to ask again with their ETag.
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
  };
  return (request, response) => {
    const refuseAddress =
      addressGate?.admits(pathOf(request), () => addressOf(request)) === false && addressGate.refuse;
    if (refuseAddress === false && refuse(request, response, allDefaults)) {
      return;
    }
    const record: RequestRecord = {
      requestId: createId("req"),
      route: undefined,
      key: undefined,
      errorCode: undefined,
      rpcCode: undefined,
    };
    const defaults = { "X-Request-Id": record.requestId, ...allDefaults };
    const span = tracing && beginRequestSpan(tracing, request, pathOf(request));
    logWhenClosed(options, request, response, record, span);
    const answer = () =>
      withDeadline(() =>
        refuseAddress === false
          ? serve(options, findPage, request, response, record, defaults)
          : answerCall(options, refuseAddress, request, response, record, defaults),
      );
    (span === undefined ? answer() : runInSpan(span, answer)).catch((error: unknown) => {
      options.logger.error("request_failed", { request_id: record.requestId, error });
      response.destroy();
    });
  };
}

/** A page, and the path or folder that it is listed by. */
type FindPage = (path: string) => readonly [route: string, page: Page] | undefined;

function pageFinder({ pages, calls }: Pick<RequestHandlerOptions, "pages" | "calls">): FindPage {
  const folders = [...pages].filter(([route]) => route.endsWith("/*"));
  return (path) => {
    const page = pages.get(path);
    if (page !== undefined) {
      return [path, page];
    }
    const folder = folders.find(([route]) => path.startsWith(route.slice(0, -1)));
    // What is listed by its exact path is no file of a folder.
    return folder === undefined || calls.has(path) ? undefined : folder;
  };
}

async function serve(
  options: RequestHandlerOptions,
  findPage: FindPage,
  request: NodeRequest,
  response: NodeResponse,
  record: RequestRecord,
  defaults: DefaultHeaders,
): Promise<void> {
  const path = pathOf(request);
  const found = findPage(path);
  if (found !== undefined) {
    const [route, page] = found;
    // Before the page answers: the log's line is written as soon as it has.
    record.route = route;
    setHeaders(response, defaults);
    if ((await page(request, response)) === "served") {
      return;
    }
    record.route = undefined;
  }
  const call = options.calls.get(path);
  if (call !== undefined) {
    record.route = path;
  }
  await answerCall(options, call ?? options.rest, request, response, record, defaults);
}

async function answerCall(
  options: RequestHandlerOptions,
  call: CallHandler,
  request: NodeRequest,
  response: NodeResponse,
  record: RequestRecord,
  defaults: DefaultHeaders,
): Promise<void> {
  const values: ContextValues = createContextValues().set(requestRecordKey, record);
  values.set(requestTargetKey, request.url ?? "");
  values.set(repeatedHeadersKey, new RawHeaders(request.rawHeaders));
  const received = new ServerRequest(request, response, values);
  values.set(clientAddressKey, clientAddressOf(options.proxyTrust, request.socket.remoteAddress, received.header));
  const writing = writeResponse(await call(received), response, defaults);
  if (writing !== undefined) {
    await writing;
  }
}

/** The path without the query, as it was sent. */
function pathOf(request: NodeRequest): string {
  const target = request.url ?? "/";
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

function logWhenClosed(
  { clock, logger, metrics, onKeyAnswered, isLogged, tracing }: RequestHandlerOptions,
  request: NodeRequest,
  response: NodeResponse,
  record: RequestRecord,
  span: OpenSpan | undefined,
): void {
  const startedMs = clock.monotonicMs();
  metrics.began();
  emitterOf(response).once("close", () => {
    const ms = clock.monotonicMs() - startedMs;
    const route = record.route ?? "unmatched";
    metrics.ended(route, response.statusCode, ms / 1_000, record.errorCode);
    if (record.key !== undefined && response.headersSent) {
      onKeyAnswered?.(record.key, record.errorCode);
    }
    if (tracing !== undefined && span !== undefined) {
      const isAborted = !response.writableFinished;
      endRequestSpan(span, tracing, request, { record, status: response.statusCode, isAborted });
    }
    if (isLogged?.(route, response.statusCode) === false) {
      return;
    }
    logger.info("request", {
      request_id: record.requestId,
      client_request_id: clientRequestId(request),
      method: request.method,
      route,
      status: response.statusCode,
      code: record.errorCode,
      ms: Math.round(ms * 10) / 10,
      key_prefix: record.key?.keyPrefix,
      aborted: response.writableFinished ? undefined : true,
      trace_id: span?.traceId,
    });
  });
}

/** The id that the client gave the request. Not trusted: logged beside ours, if it looks like an id. */
function clientRequestId(request: NodeRequest): string | undefined {
  const id = request.headers["x-request-id"];
  return typeof id === "string" && /^[\w.:/+=-]{1,128}$/.test(id) ? id : undefined;
}
