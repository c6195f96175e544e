import { type DescMethod, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { CallContext } from "@byond/rest/call-context";
import { composeUnary } from "@byond/rest/interceptor-chain";
import { SingleChunk } from "@byond/rest/single-chunk";
import { ConnectError, createContextValues, type MethodImplSpec } from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandlerFn,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Chain } from "./chain.ts";
import {
  codeToHttpStatus,
  compressedFlag,
  compressionNegotiate,
  encodeEnvelope,
  errorToJsonBytes,
  grpcStatusOk,
  mergeNonProtocolHeaders,
  setTrailerStatus,
  trailerFlag,
  trailerSerialize,
} from "./connect-protocols.ts";
import { readTimeout } from "./deadline.ts";
import { acceptedEncodings, compressions, encodingOf } from "./encoding.ts";
import type { JsonOptions } from "./readable-message.ts";
import { type ErrorReporter, toConnectError } from "./wire-errors.ts";

export interface UnaryHandlerOptions {
  readonly chain: Chain;
  readonly errors: ErrorReporter;
  readonly shutdownSignal: AbortSignal;
  readonly json: JsonOptions;
  /** The size from which answers are compressed. */
  readonly compressMinBytes: number;
}

/** A protocol and a format of its messages. */
interface Dialect {
  readonly protocolName: "connect" | "grpc" | "grpc-web";
  readonly isJson: boolean;
  /** Of answers. */
  readonly contentType: string;
}

const connectJson: Dialect = { protocolName: "connect", isJson: true, contentType: "application/json" };
const connectProto: Dialect = { protocolName: "connect", isJson: false, contentType: "application/proto" };
const grpcJson: Dialect = { protocolName: "grpc", isJson: true, contentType: "application/grpc+json" };
const grpcProto: Dialect = { protocolName: "grpc", isJson: false, contentType: "application/grpc+proto" };
const grpcWebJson: Dialect = { protocolName: "grpc-web", isJson: true, contentType: "application/grpc-web+json" };
const grpcWebProto: Dialect = { protocolName: "grpc-web", isJson: false, contentType: "application/grpc-web+proto" };

/** By the media type of a request, in its one spelling (`canonicalizeHeaders`). */
const dialectsByContentType: ReadonlyMap<string, Dialect> = new Map([
  ["application/json", connectJson],
  ["application/proto", connectProto],
  ["application/grpc", grpcProto],
  ["application/grpc+json", grpcJson],
  ["application/grpc+proto", grpcProto],
  ["application/grpc-web", grpcWebProto],
  ["application/grpc-web+json", grpcWebJson],
  ["application/grpc-web+proto", grpcWebProto],
]);

/** A call on its way to its answer. */
interface UnaryExchange {
  readonly dialect: Dialect;
  readonly context: CallContext;
  /** Of the answer. Null for none. */
  readonly compression: Compression | null;
}

/**
 * Serves a unary RPC over Connect (by GET as well), gRPC and gRPC-Web, through the same chain as REST. Connect's own handler,
 * `refuse`, which stands for the rest of the RPC's path, is asked what to say to requests that are no call of it.
 */
export function createUnaryHandler(
  spec: MethodImplSpec & { kind: "unary" },
  refuse: UniversalHandlerFn,
  options: UnaryHandlerOptions,
): UniversalHandlerFn {
  const { chain, errors, shutdownSignal, json } = options;
  const { method } = spec;
  const invoke = composeUnary(spec, chain.interceptors);

  async function serve(request: UniversalServerRequest, dialect: Dialect): Promise<UniversalServerResponse> {
    const { protocolName, isJson } = dialect;
    const context = new CallContext({
      method,
      protocolName,
      request,
      values: request.contextValues ?? createContextValues(),
      timeoutMs: readTimeout(protocolName, request.header),
      shutdownSignal,
    });
    const exchange: UnaryExchange = { dialect, context, compression: negotiateCompression(context) };
    context.responseHeader.set("content-type", dialect.contentType);
    if (protocolName !== "connect" && exchange.compression !== null) {
      context.responseHeader.set("grpc-encoding", exchange.compression.name);
    }
    let answer: Uint8Array | ConnectError;
    try {
      const passed = chain.requestGate(context);
      if (passed instanceof Promise) {
        await passed;
      }
      const message = await chain.readMessage(context, { isJson, json });
      answer = serialize(method, await invoke(context, message), dialect, json);
    } catch (error) {
      answer = error instanceof ConnectError ? error : toConnectError(errors, error, context.values);
    } finally {
      context.end();
    }
    return respond(exchange, answer, options);
  }

  return (request) => {
    const dialect = dialectOf(request, method);
    return dialect === undefined ? refuse(request) : serve(request, dialect);
  };
}

/** Undefined for what is no call. */
function dialectOf(request: UniversalServerRequest, method: DescMethod): Dialect | undefined {
  const contentType = request.header.get("content-type") ?? "";
  if (request.method === "POST") {
    return dialectsByContentType.get(contentType);
  }
  const isGet = request.method === "GET" && method.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS;
  if (!isGet || (contentType !== "" && dialectsByContentType.get(contentType)?.protocolName !== "connect")) {
    return undefined;
  }
  switch (new URL(request.url).searchParams.get("encoding")) {
    case "json":
      return connectJson;
    case "proto":
      return connectProto;
    default:
      return undefined;
  }
}

/** How the answer may be compressed: as the client says, and if it says nothing, as it compresses itself. */
function negotiateCompression(context: CallContext): Compression | null {
  const { header, names } = acceptedEncodings(context);
  const given = encodingOf(context) ?? null;
  return names === null && given === null
    ? null
    : compressionNegotiate([...compressions], given, names, header).response;
}

function serialize({ output }: DescMethod, message: Message, { isJson }: Dialect, json: JsonOptions): Uint8Array {
  return isJson ? Buffer.from(toJsonString(output, message, json)) : toBinary(output, message);
}

function respond(
  exchange: UnaryExchange,
  answer: Uint8Array | ConnectError,
  options: UnaryHandlerOptions,
): Awaitable<UniversalServerResponse> {
  switch (exchange.dialect.protocolName) {
    case "connect":
      return respondConnect(exchange, answer, options);
    case "grpc":
      return respondGrpc(exchange, answer, options);
    case "grpc-web":
      return respondGrpcWeb(exchange, answer, options);
  }
}

/** An error has a status and a body of its own; trailers are headers (Connect, "Unary-Response"). */
function respondConnect(
  { context, compression }: UnaryExchange,
  answer: Uint8Array | ConnectError,
  { compressMinBytes, json }: UnaryHandlerOptions,
): Awaitable<UniversalServerResponse> {
  const { responseHeader: header, responseTrailer: trailer } = context;
  let status = 200;
  let bytes: Uint8Array;
  if (answer instanceof ConnectError) {
    status = codeToHttpStatus(answer.code);
    header.set("content-type", "application/json");
    mergeNonProtocolHeaders(header, answer.metadata);
    bytes = errorToJsonBytes(answer, json);
  } else {
    bytes = answer;
  }
  const isCompressed = compression !== null && bytes.length >= compressMinBytes;
  return whenReady(isCompressed ? compression.compress(bytes) : bytes, (sent) => {
    if (isCompressed) {
      header.set("content-encoding", compression.name);
    }
    for (const [name, value] of trailer) {
      header.append(`trailer-${name}`, value);
    }
    header.set("content-length", String(sent.length));
    return { status, header, body: new SingleChunk(sent) };
  });
}

/** How the call ended is said in the trailers (gRPC over HTTP/2, "Responses"). */
function respondGrpc(
  { context, compression }: UnaryExchange,
  answer: Uint8Array | ConnectError,
  { compressMinBytes }: UnaryHandlerOptions,
): Awaitable<UniversalServerResponse> {
  const { responseHeader: header, responseTrailer: trailer } = context;
  if (answer instanceof ConnectError) {
    return { status: 200, header, trailer: setTrailerStatus(trailer, answer) };
  }
  trailer.set("grpc-status", grpcStatusOk);
  return whenReady(frame(0, answer, compression, compressMinBytes), (bytes) => ({
    status: 200,
    header,
    body: new SingleChunk(bytes),
    trailer,
  }));
}

/** As in gRPC, with the trailers as a last frame of the body (gRPC-Web, "Protocol differences vs gRPC over HTTP2"). */
async function respondGrpcWeb(
  { context, compression }: UnaryExchange,
  answer: Uint8Array | ConnectError,
  { compressMinBytes }: UnaryHandlerOptions,
): Promise<UniversalServerResponse> {
  const { responseHeader: header, responseTrailer: trailer } = context;
  const frames: Uint8Array[] = [];
  if (answer instanceof ConnectError) {
    setTrailerStatus(trailer, answer);
  } else {
    trailer.set("grpc-status", grpcStatusOk);
    frames.push(await frame(0, answer, compression, compressMinBytes));
  }
  frames.push(await frame(trailerFlag, trailerSerialize(trailer), compression, compressMinBytes));
  return { status: 200, header, body: new SingleChunk(Buffer.concat(frames)) };
}

function frame(
  flags: number,
  bytes: Uint8Array,
  compression: Compression | null,
  compressMinBytes: number,
): Awaitable<Uint8Array> {
  return compression === null || bytes.length < compressMinBytes
    ? encodeEnvelope(flags, bytes)
    : compression.compress(bytes).then((compressed) => encodeEnvelope(flags | compressedFlag, compressed));
}
