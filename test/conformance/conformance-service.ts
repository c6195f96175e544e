import { setTimeout } from "node:timers/promises";
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  type Header,
  HeaderSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { RequestedError } from "./server-under-test.ts";

/** Implements `ConformanceService`, as its schema says. `Unimplemented` is left out: the server has to answer for it. */
export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  async unary(request, context) {
    return { payload: await unaryPayload(request.responseDefinition, context, [pack(UnaryRequestSchema, request)]) };
  },
  async idempotentUnary(request, context) {
    const requests = [pack(IdempotentUnaryRequestSchema, request)];
    return { payload: await unaryPayload(request.responseDefinition, context, requests) };
  },
  async clientStream(requests, context) {
    let definition: UnaryResponseDefinition | undefined;
    const received: Any[] = [];
    for await (const request of requests) {
      definition = received.length === 0 ? request.responseDefinition : definition;
      received.push(pack(ClientStreamRequestSchema, request));
    }
    return { payload: await unaryPayload(definition, context, received) };
  },
  async *serverStream(request, context) {
    const received = [pack(ServerStreamRequestSchema, request)];
    yield* streamPayloads(request.responseDefinition, context, received);
  },
  async *bidiStream(requests, context) {
    let definition: StreamResponseDefinition | undefined;
    let isFullDuplex = false;
    let received: Any[] = [];
    let sent = 0;
    let isFirst = true;
    for await (const request of requests) {
      if (isFirst) {
        isFirst = false;
        isFullDuplex = request.fullDuplex;
        definition = request.responseDefinition;
      }
      received.push(pack(BidiStreamRequestSchema, request));
      if (!isFullDuplex) {
        continue;
      }
      if (sent === 0) {
        setHeaders(definition, context);
      }
      const data = definition?.responseData[sent];
      if (data === undefined) {
        break;
      }
      await delay(definition);
      yield { payload: { data, requestInfo: sent === 0 ? requestInfo(context, received) : { requests: received } } };
      sent += 1;
      received = [];
    }
    if (isFullDuplex) {
      throwRequested(definition?.error, sent === 0 ? requestInfo(context, received) : undefined);
    } else {
      yield* streamPayloads(definition, context, received);
    }
  },
};

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;

async function unaryPayload(
  definition: UnaryResponseDefinition | undefined,
  context: HandlerContext,
  requests: Any[],
): Promise<Payload> {
  setHeaders(definition, context);
  await delay(definition);
  const info = requestInfo(context, requests);
  if (definition?.response.case === "error") {
    throwRequested(definition.response.value, info);
  }
  return {
    requestInfo: info,
    ...(definition?.response.case === "responseData" ? { data: definition.response.value } : {}),
  };
}

async function* streamPayloads(
  definition: StreamResponseDefinition | undefined,
  context: HandlerContext,
  requests: Any[],
): AsyncGenerator<{ payload: Payload }> {
  setHeaders(definition, context);
  const info = requestInfo(context, requests);
  for (const [index, data] of (definition?.responseData ?? []).entries()) {
    await delay(definition);
    yield { payload: { data, ...(index === 0 ? { requestInfo: info } : {}) } };
  }
  throwRequested(definition?.error, definition?.responseData.length === 0 ? info : undefined);
}

function pack<T extends DescMessage>(schema: T, message: MessageShape<T>): Any {
  return anyPack(schema, message);
}

async function delay(definition: { readonly responseDelayMs: number } | undefined): Promise<void> {
  if (definition !== undefined && definition.responseDelayMs > 0) {
    await setTimeout(definition.responseDelayMs);
  }
}

function setHeaders(
  definition: Pick<UnaryResponseDefinition, "responseHeaders" | "responseTrailers"> | undefined,
  context: HandlerContext,
): void {
  addAll(context.responseHeader, definition?.responseHeaders ?? []);
  addAll(context.responseTrailer, definition?.responseTrailers ?? []);
}

function addAll(target: Headers, headers: readonly Header[]): void {
  for (const { name, value } of headers) {
    for (const each of value) {
      target.append(name, each);
    }
  }
}

/** Throws the error that the suite asks for, if any. Where nothing was answered yet, it tells of the request. */
function throwRequested(error: ErrorDefinition | undefined, info: ConformancePayload_RequestInfo | undefined): void {
  if (error === undefined) {
    return;
  }
  // The codes are those of gRPC, as Connect's are.
  const requested = new ConnectError(error.message ?? "", error.code || Code.Unknown);
  const details =
    info === undefined ? error.details : [...error.details, anyPack(ConformancePayload_RequestInfoSchema, info)];
  requested.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  throw new RequestedError(requested);
}

function requestInfo(context: HandlerContext, requests: Any[]): ConformancePayload_RequestInfo {
  const timeoutMs = context.timeoutMs();
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: headersOf([...context.requestHeader]),
    requests,
    ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(timeoutMs) }),
    ...(context.requestMethod === "GET"
      ? { connectGetInfo: { queryParams: headersOf([...new URL(context.url).searchParams]) } }
      : {}),
  });
}

function headersOf(pairs: readonly (readonly [string, string])[]): Header[] {
  // `Headers` joins the values of a name.
  return pairs.map(([name, value]) => create(HeaderSchema, { name, value: value.split(", ") }));
}
