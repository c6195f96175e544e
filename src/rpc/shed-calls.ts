import type { DescMethod } from "@bufbuild/protobuf";
import type { Route } from "@byond/rest/route";
import { buildRouteTrie } from "@byond/rest/route-trie";
import { createContextValues } from "@connectrpc/connect";
import type { Counter } from "prom-client";
import { createId } from "../crypto/ids.ts";
import { AppError } from "../errors.ts";
import { type RequestRecord, requestRecordKey } from "../observe/request-record.ts";
import type { Cors } from "../server/cors.ts";
import type { Shedding, ShedOrder } from "../server/load-shedder.ts";
import type { NodeRequest, NodeResponse } from "../server/normalize-request.ts";
import type { RequestRefusal } from "../server/request-handler.ts";
import type { RequestMetrics } from "../server/request-metrics.ts";
import { errorToJsonBytes, setTrailerStatus } from "./connect-protocols.ts";
import { wantsEnvelope, wrapInEnvelope } from "./envelope.ts";
import { type RefusalText, refusalText } from "./refusal-text.ts";
import { restErrorAnswer } from "./rest-errors.ts";
import { type ErrorReporter, errorHeaders, toConnectError } from "./wire-errors.ts";

export interface ShedCallsOptions {
  readonly shedding: Pick<Shedding, "arrived" | "isActive" | "sheds">;
  /** The RPCs that may be refused. They are unary. */
  readonly orders: ReadonlyMap<DescMethod, ShedOrder>;
  /** All of the server's: the path of one may match the template of another. */
  readonly routes: readonly Route[];
  readonly errors: ErrorReporter;
  readonly cors: Pick<Cors, "headersFor">;
  readonly metrics: Pick<RequestMetrics, "refused">;
  readonly refusedCalls: Counter<"route">;
}

/** A path that leads to an RPC. */
interface Target {
  readonly order: ShedOrder | undefined;
  /** As the log and the metrics name it. */
  readonly name: string;
  readonly form: "rest" | "rpc";
}

const overloaded = new AppError("unavailable", "The server is overloaded. Nothing was done: try again shortly.", {
  retryAfterSeconds: 1,
});

/**
 * Refuses calls while the server is overloaded: as soon as their path is known, before their body is read or their credential looked at, in the form of
 * their protocol. A refusal has no line in the log: there are many of them.
 */
export function createShedCalls(options: ShedCallsOptions): RequestRefusal {
  const { shedding, metrics, refusedCalls, cors } = options;
  const find = createTargetFinder(options);
  for (const { name } of find.targets) {
    // A rate sees the first one, too.
    refusedCalls.inc({ route: name }, 0);
  }
  let forms: Forms | undefined;
  return (request, response, defaults) => {
    shedding.arrived();
    if (!shedding.isActive) {
      return false;
    }
    const target = find.targetOf(request);
    if (target?.order === undefined || !shedding.sheds(target.order)) {
      return false;
    }
    // Not before: the address of the page that explains errors is known once the port is open.
    forms ??= createForms(options.errors);
    const requestId = createId("req");
    const { status, fields, body } = forms.answer(request, target.form, requestId);
    const all: string[] = [];
    for (const group of [defaults, cors.headersFor(request.headers.origin, pathOf(request))]) {
      for (const name in group) {
        all.push(name, group[name] ?? "");
      }
    }
    all.push("X-Request-Id", requestId, ...fields);
    writeRefusal(response, status, all, body);
    metrics.refused(target.name, status, 0, overloaded.code);
    refusedCalls.inc({ route: target.name });
    return true;
  };
}

interface TargetFinder {
  /** Those that may be refused. */
  readonly targets: readonly Target[];
  targetOf(request: NodeRequest): Target | undefined;
}

function createTargetFinder({ orders, routes }: ShedCallsOptions): TargetFinder {
  const rpcs = new Map<string, Target>();
  for (const [method, order] of orders) {
    if (method.methodKind !== "unary") {
      throw new TypeError(`${method.parent.typeName}.${method.name} streams: it cannot be marked as \`shed\``);
    }
    const name = `/${method.parent.typeName}/${method.name}`;
    rpcs.set(name, { order, name, form: "rpc" });
  }
  const rest = routes.map(({ httpMethod, template, method }) => ({
    method: httpMethod,
    template,
    target: { order: orders.get(method), name: `${httpMethod} ${template}`, form: "rest" } satisfies Target,
  }));
  const trie = buildRouteTrie(rest);
  const targets = [...rpcs.values(), ...rest.map(({ target }) => target)].filter(({ order }) => order !== undefined);
  const targetOf = (request: NodeRequest): Target | undefined => {
    const { method = "" } = request;
    const path = pathOf(request);
    // A preflight asks whether a call may be made.
    const rpc = method === "POST" || method === "GET" ? rpcs.get(path) : undefined;
    if (rpc !== undefined) {
      return rpc;
    }
    // HEAD is served wherever GET is.
    const match = trie.match(method === "HEAD" ? "GET" : method, path);
    return match.kind === "match" ? match.target : undefined;
  };
  return { targets, targetOf };
}

function pathOf({ url = "" }: NodeRequest): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

interface Refusal {
  readonly status: number;
  /** Names and values of headers. */
  readonly fields: readonly string[];
  readonly body: string | undefined;
}

interface Forms {
  answer(request: NodeRequest, form: Target["form"], requestId: string): Refusal;
}

/** Parameters change nothing (`canonicalizeHeaders`). */
const grpcMediaType = /^(application\/grpc(?:-web)?(?:\+(?:proto|json))?)[ \t]*(?:;|$)/i;

/** The refusal as REST, Connect, gRPC and gRPC-Web say it: as they say every other `unavailable`. */
function createForms(errors: ErrorReporter): Forms {
  const recordOf = (requestId: string): RequestRecord => ({
    requestId,
    route: undefined,
    key: undefined,
    // As of an error that was reported: it is none that the operator should look into.
    errorCode: overloaded.code,
    rpcCode: undefined,
  });
  const errorOf = (requestId: string) =>
    toConnectError(errors, overloaded, createContextValues().set(requestRecordKey, recordOf(requestId)));
  const rest = restErrorAnswer(errors, overloaded, recordOf(createId("req")));
  const headers = Object.entries(errorHeaders(overloaded)).flat();
  const restBody = refusalText((requestId) =>
    JSON.stringify(restErrorAnswer(errors, overloaded, recordOf(requestId)).body),
  );
  const connectBody = refusalText((requestId) =>
    Buffer.from(errorToJsonBytes(errorOf(requestId), undefined)).toString(),
  );
  // The status in the headers of an answer without a body ("Trailers-Only"), over gRPC-Web too.
  const grpcHeaders = new Headers();
  setTrailerStatus(grpcHeaders, errorOf(createId("req")));
  const grpcFields = [...grpcHeaders.keys()].map((name): readonly [string, RefusalText] => [
    name,
    refusalText((requestId) => {
      const rendered = new Headers();
      setTrailerStatus(rendered, errorOf(requestId));
      return rendered.get(name) ?? "";
    }),
  ]);
  const json = (body: string): Refusal => ({
    status: rest.status,
    fields: [...headers, "Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))],
    body,
  });
  return {
    answer(request, form, requestId) {
      if (form === "rest") {
        const body = restBody(requestId);
        return json(wantsEnvelope(headersOf(request)) ? wrapInEnvelope(false, body) : body);
      }
      const mediaType = grpcMediaType.exec(request.headers["content-type"] ?? "")?.[1];
      if (mediaType !== undefined) {
        const fields = grpcFields.flatMap(([name, text]) => [name, text(requestId)]);
        return { status: 200, fields: ["Content-Type", mediaType, ...fields], body: undefined };
      }
      return json(connectBody(requestId));
    },
  };
}

function headersOf({ headers }: NodeRequest): Pick<Headers, "get"> {
  return { get: (name) => headers[name]?.toString() ?? null };
}

function writeRefusal(response: NodeResponse, status: number, fields: string[], body: string | undefined): void {
  // The union of both kinds of response has no common signature of `writeHead`.
  if ("stream" in response) {
    response.writeHead(status, fields);
  } else {
    response.writeHead(status, fields);
  }
  if (body === undefined) {
    response.end();
  } else {
    response.end(body);
  }
}
