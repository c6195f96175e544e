import { Code } from "@connectrpc/connect";
import type { OpenSpan } from "../observe/active-span.ts";
import type { RequestRecord } from "../observe/request-record.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { NodeRequest } from "./normalize-request.ts";

/** Which requests are traced, and how they are told apart. */
export interface RequestTracing extends Pick<Tracing, "begin"> {
  /** Paths that are asked so often, and for so little, that nobody wants a trace of it. */
  readonly untracedPaths: ReadonlySet<string>;
  readonly isRpc: (route: string) => boolean;
}

/** Methods that may be in the name of a span (HTTP spans, `http.request.method`). Others would make as many names as a client likes. */
const knownMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** How a request has ended. */
export interface RequestOutcome {
  readonly record: RequestRecord;
  readonly status: number;
  /** Whether the client left before the answer was complete. */
  readonly isAborted: boolean;
}

/**
 * Begins the span of a request, below the one that its `traceparent` names. What the client wrote is no attribute: neither path nor query,
 * which hold ids, numbers and, by mistake, keys, nor its address.
 */
export function beginRequestSpan(tracing: RequestTracing, request: NodeRequest, path: string): OpenSpan | undefined {
  if (tracing.untracedPaths.has(path)) {
    return undefined;
  }
  const { traceparent } = request.headers;
  return tracing.begin({
    name: methodOf(request) ?? "HTTP",
    kind: "server",
    traceParent: typeof traceparent === "string" ? traceparent : undefined,
    attributes: {
      "http.request.method": methodOf(request) ?? "_OTHER",
      "url.scheme": "encrypted" in request.socket ? "https" : "http",
      "network.protocol.version": request.httpVersionMajor === 2 ? "2" : request.httpVersion,
    },
  });
}

/** Ends it, named by the conventions for HTTP or, for calls over gRPC, gRPC-Web and Connect, by those for RPC. */
export function endRequestSpan(
  span: OpenSpan,
  tracing: RequestTracing,
  request: NodeRequest,
  { record, status, isAborted }: RequestOutcome,
): void {
  const { route } = record;
  span.set({
    "http.response.status_code": status,
    "byond.request_id": record.requestId,
    "byond.error.code": record.errorCode,
  });
  if (route !== undefined && tracing.isRpc(route)) {
    const method = route.slice(1);
    const isGrpc = request.headers["content-type"]?.startsWith("application/grpc") === true;
    const code = record.rpcCode ?? (isAborted ? Code.Canceled : undefined);
    span.rename(method);
    span.set({
      "rpc.system.name": isGrpc ? "grpc" : "connectrpc",
      "rpc.method": method,
      "rpc.response.status_code": isGrpc ? grpcStatusOf(code) : code && connectCodeOf(code),
    });
    if (code !== undefined && serverErrors.has(code)) {
      span.fail(isGrpc ? grpcStatusOf(code) : connectCodeOf(code));
    }
  } else {
    if (route !== undefined) {
      // Those of REST begin with their method, those of pages do not.
      const path = route.slice(route.indexOf("/"));
      span.rename(`${methodOf(request) ?? "HTTP"} ${path}`);
      span.set({ "http.route": path });
    }
    if (status >= 500) {
      span.fail(String(status));
    }
  }
  span.end();
}

/** Codes that say that the server has failed, not the client (RPC spans, "Server"). */
export const serverErrors: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

function methodOf({ method }: NodeRequest): string | undefined {
  return method !== undefined && knownMethods.has(method) ? method : undefined;
}

/** `deadline_exceeded` */
export function connectCodeOf(code: Code): string {
  return (Code[code] ?? "Unknown").replace(/(?<=.)[A-Z]/g, "_$&").toLowerCase();
}

/** `DEADLINE_EXCEEDED`. gRPC has another spelling of one of them. */
function grpcStatusOf(code: Code | undefined): string {
  if (code === undefined) {
    return "OK";
  }
  return code === Code.Canceled ? "CANCELLED" : connectCodeOf(code).toUpperCase();
}
