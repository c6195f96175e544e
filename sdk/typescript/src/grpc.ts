/**
 * gRPC instead of REST, in Node. Needs the packages `@connectrpc/connect-node`, `@connectrpc/connect` and `@bufbuild/protobuf`.
 *
 * @packageDocumentation
 */
import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJson,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { isObject, type Json } from "./converters.ts";
import { ByondError, readError } from "./errors.ts";
import { schema } from "./generated/schema.ts";
import type { Attempt, Operation, StreamMessage, Transport } from "./operation.ts";
import type { TransportOptions } from "./options.ts";
import { toProtobufJson, toRestJson } from "./protobuf-json.ts";

/** The descriptors, read when the first client is made. */
let registry: FileRegistry | undefined;

/**
 * The option `transport` of a client that calls over gRPC. Everything else is as over REST, but requests cannot be signed, and errors have no `status`.
 *
 * @example
 * ```ts
 * import { Byond } from "byond-sdk";
 * import { grpcTransport } from "byond-sdk/grpc";
 *
 * const byond = new Byond({ transport: grpcTransport });
 * ```
 */
export function grpcTransport({ baseUrl, signingKey }: TransportOptions): Transport {
  if (signingKey !== undefined) {
    throw new Error("Requests over gRPC cannot be signed. Use REST for keys that demand signatures.");
  }
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(schema)));
  const descriptors = registry;
  const grpc = createGrpcTransport({ baseUrl });

  return {
    async call({ operation, signal, headers, ...request }) {
      const method = findMethod(descriptors, operation, "unary");
      const message = encode(method, operation, request);
      const { message: answer } = await grpc
        .unary(method, signal, undefined, headers, message)
        .catch((error: unknown) => failed(error, descriptors, signal));
      return resultOf(operation, decode(method, answer)) ?? null;
    },
    async stream({ operation, signal, headers, ...request }) {
      const method = findMethod(descriptors, operation, "server_streaming");
      const message = encode(method, operation, request);
      const { message: answers } = await grpc
        .stream(method, signal, undefined, headers, single(message))
        .catch((error: unknown) => failed(error, descriptors, signal));
      return readStream(operation, method, answers, (error) => failed(error, descriptors, signal));
    },
  };
}

function findMethod<Kind extends DescMethod["methodKind"]>(
  descriptors: FileRegistry,
  { rpc }: Operation,
  kind: Kind,
): DescMethod & { readonly methodKind: Kind } {
  const [service = "", name] = rpc.split("/");
  const isMethod = (method: DescMethod): method is DescMethod & { readonly methodKind: Kind } =>
    method.name === name && method.methodKind === kind;
  const method = descriptors.getService(service)?.methods.find(isMethod);
  if (method === undefined) {
    throw new Error(`the schema of this SDK has no ${rpc}`);
  }
  return method;
}

/** The request of path parameters and others. What the schema cannot hold is refused here, as the server would refuse it. */
function encode(
  { input }: DescMethod,
  { parametersField }: Operation,
  { path, parameters }: Pick<Attempt, "path" | "parameters">,
): Message {
  const json = { ...path, ...(parametersField === undefined ? parameters : { [parametersField]: parameters }) };
  try {
    return fromJson(input, toProtobufJson(json, input));
  } catch (cause) {
    throw new ByondError(cause instanceof Error ? cause.message : String(cause), { code: "validation_error", cause });
  }
}

function decode({ output }: DescMethod, message: Message): Json {
  const options = { alwaysEmitImplicit: true, useProtoFieldName: true, enumAsInteger: true };
  return toRestJson(toJson(output, message, options), output);
}

function resultOf({ resultField }: Operation, answer: Json): Json | undefined {
  return resultField !== undefined && isObject(answer) ? answer[resultField] : answer;
}

async function* single<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function* readStream(
  operation: Operation,
  method: DescMethod,
  answers: AsyncIterable<Message>,
  fail: (error: unknown) => never,
): AsyncGenerator<StreamMessage> {
  try {
    for await (const message of answers) {
      const answer = decode(method, message);
      const result = resultOf(operation, answer) ?? undefined;
      const resumeAfter = isObject(answer) ? answer[operation.resumeField ?? ""] : undefined;
      yield {
        ...(result === undefined ? {} : { result }),
        ...(typeof resumeAfter === "string" ? { resumeAfter } : {}),
      };
    }
  } catch (error) {
    fail(error);
  }
}

/** The error of the server, which is a detail of the status, or a lost connection. */
function failed(error: unknown, descriptors: FileRegistry, signal: AbortSignal): never {
  signal.throwIfAborted();
  const errorInfo = descriptors.getMessage("byond.v1.ErrorInfo");
  if (error instanceof ConnectError && errorInfo !== undefined) {
    const [detail] = error.findDetails(errorInfo);
    const json = detail === undefined ? undefined : toJson(errorInfo, detail, { useProtoFieldName: true });
    throw readError(json) ?? new ByondError(error.rawMessage, { code: "connection_failed", cause: error });
  }
  throw error;
}
