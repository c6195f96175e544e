/** Calls one RPC over each protocol and returns the answer in one form, with its headers. Signatures, quotas and idempotency are tested with these. */
import { gzipSync } from "node:zlib";
import { fromBinary, fromJson, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import type { TestApp } from "../support/app.ts";
import { type Rpc, readMessage, rpcs, writer } from "../support/protocols.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

export type RpcName = keyof typeof rpcs;
export type Input = Readonly<Record<string, unknown>>;
export type HeaderFields = Readonly<Record<string, string>>;

/** Method and target of a request as it is sent. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
}

export interface ProtocolCall {
  readonly key?: string;
  readonly session?: string;
  readonly headers?: HeaderFields;
  /** Sends the body compressed. gRPC, whose frames nobody sees, does not. */
  readonly gzip?: boolean;
  /** Headers that depend on the request as it is sent. gRPC knows no body, and gets those of an empty one. */
  readonly sign?: (body: Uint8Array, line: RequestLine) => HeaderFields;
}

/** An answer in the same form over every protocol. */
export interface ProtocolAnswer {
  /** `ok`, or the error's code. */
  readonly code: string;
  /** The answer or the error, as REST writes it. */
  readonly body: Json;
  /** Over gRPC, of headers and trailers. */
  readonly headers: Headers;
}

export interface ProtocolClient {
  readonly name: "REST" | "gRPC" | "Connect with JSON" | "Connect with protobuf";
  call(app: TestApp, rpc: RpcName, input?: Input, call?: ProtocolCall): Promise<ProtocolAnswer>;
}

const rest: ProtocolClient = {
  name: "REST",
  async call(app, name, input = {}, call = {}) {
    const rpc: Rpc = rpcs[name];
    const [method, path, body] = rpc.rest(input);
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { answer, json } = await send(`${app.url}/api/v1${path}`, method, bytes, "application/json", call);
    const content: Json = json === "" ? undefined : JSON.parse(json);
    return answer.ok
      ? { code: "ok", body: content, headers: answer.headers }
      : { code: content.error.code, body: content.error, headers: answer.headers };
  },
};

function connectClient(name: "Connect with JSON" | "Connect with protobuf", type: string): ProtocolClient {
  const isBinary = type === "application/proto";
  return {
    name,
    async call(app, rpcName, input = {}, call = {}) {
      const rpc: Rpc = rpcs[rpcName];
      const { method } = rpc;
      const message = readMessage(method, rpc.message?.(input) ?? input);
      const bytes = isBinary
        ? toBinary(method.input, message)
        : Buffer.from(toJsonString(method.input, message, { useProtoFieldName: true }));
      const url = `${app.url}/${method.parent.typeName}/${method.name}`;
      const { answer, json, raw } = await send(url, "POST", bytes, type, call);
      const { headers } = answer;
      if (!answer.ok) {
        return { ...errorOf(JSON.parse(json)), headers };
      }
      const output = isBinary ? fromBinary(method.output, raw) : fromJson(method.output, JSON.parse(json));
      return { code: "ok", body: bodyOf(rpc, output), headers };
    },
  };
}

const transports = new Map<string, Transport>();

const grpc: ProtocolClient = {
  name: "gRPC",
  async call(app, name, input = {}, call = {}) {
    const rpc: Rpc = rpcs[name];
    const transport = transports.get(app.url) ?? createGrpcTransport({ baseUrl: app.url });
    transports.set(app.url, transport);
    try {
      const request = readMessage(rpc.method, rpc.message?.(input) ?? input);
      const { method } = rpc;
      const header = headersOf(call, new Uint8Array(), {
        method: "POST",
        target: `/${method.parent.typeName}/${method.name}`,
      });
      const answer = await transport.unary(rpc.method, undefined, undefined, header, request);
      return { code: "ok", body: bodyOf(rpc, answer.message), headers: joined(answer.header, answer.trailer) };
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const [info] = error.findDetails(ErrorInfoSchema);
      if (info === undefined) {
        throw thrown;
      }
      return { code: info.code, body: writer.message(ErrorInfoSchema)(info), headers: error.metadata };
    }
  },
};

function headersOf(call: ProtocolCall, body: Uint8Array, line: RequestLine): Record<string, string> {
  return {
    ...(call.key === undefined ? {} : { "x-api-key": call.key }),
    ...(call.session === undefined ? {} : { authorization: `Bearer ${call.session}` }),
    ...call.headers,
    ...call.sign?.(body, line),
  };
}

async function send(url: string, method: string, bytes: Uint8Array | undefined, type: string, call: ProtocolCall) {
  const body = bytes !== undefined && call.gzip === true ? gzipSync(bytes) : bytes;
  const { pathname, search } = new URL(url);
  const answer = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": type }),
      ...(call.gzip === true && body !== undefined ? { "content-encoding": "gzip" } : {}),
      ...headersOf(call, body ?? new Uint8Array(), { method, target: pathname + search }),
    },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  const raw = Buffer.from(await answer.arrayBuffer());
  return { answer, raw, json: raw.toString() };
}

/** An error as Connect writes it: with one detail, in base64. */
function errorOf(error: Json): Pick<ProtocolAnswer, "code" | "body"> {
  const [detail] = error.details ?? [];
  if (detail?.type !== ErrorInfoSchema.typeName) {
    throw new TypeError(`an error without our detail: ${JSON.stringify(error)}`);
  }
  const info = fromBinary(ErrorInfoSchema, Buffer.from(detail.value, "base64"));
  return { code: info.code, body: writer.message(ErrorInfoSchema)(info) };
}

function joined(...parts: readonly Headers[]): Headers {
  return new Headers(parts.flatMap((part) => [...part]));
}

function bodyOf(rpc: Rpc, message: Message): Json {
  const body: Json = writer.message(rpc.method.output)(message);
  return rpc.responseBody === undefined ? body : body[rpc.responseBody];
}

/** REST and both formats of Connect: the client sees the bytes that it sends, so it can sign or compress them. */
export const byteLevelClients: readonly ProtocolClient[] = [
  rest,
  connectClient("Connect with JSON", "application/json"),
  connectClient("Connect with protobuf", "application/proto"),
];
export const restClient: ProtocolClient = rest;
export const grpcClient: ProtocolClient = grpc;
export const protocolClients: readonly ProtocolClient[] = [...byteLevelClients, grpc];
