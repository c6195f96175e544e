import { Code, type ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { AppError } from "../errors.ts";
import { setTrailerStatus } from "./connect-protocols.ts";
import { type ErrorReporter, toConnectError } from "./wire-errors.ts";

/** Whether a request is a gRPC or gRPC-Web call, in any format. */
export function isGrpc({ header, method }: UniversalServerRequest): boolean {
  const type = header.get("content-type") ?? "";
  return method === "POST" && /^application\/grpc(?:-web|-web-text)?(?:\+|;|\s|$)/i.test(type);
}

/** Answers a gRPC call of an unknown RPC with `UNIMPLEMENTED`. With a plain 404, clients would report the HTTP status instead. */
export function answerUnknownRpc(errors: ErrorReporter, request: UniversalServerRequest): UniversalServerResponse {
  const unimplemented = new AppError("not_found", "There is no such RPC.", { rpcCode: Code.Unimplemented });
  return answerGrpcError(
    request,
    toConnectError(errors, unimplemented, request.contextValues ?? createContextValues()),
  );
}

/** Answers a gRPC or gRPC-Web call with an error, without looking at anything else of it. */
export function answerGrpcError({ header }: UniversalServerRequest, error: ConnectError): UniversalServerResponse {
  const type = header.get("content-type") ?? "";
  const status = new Headers();
  setTrailerStatus(status, error);
  // gRPC has the status in the trailers. gRPC-Web has no trailers: it takes the status from the headers of an empty answer.
  return /^application\/grpc-web/i.test(type)
    ? { status: 200, header: new Headers([...status, ["content-type", type]]) }
    : { status: 200, header: new Headers({ "content-type": type }), trailer: status };
}
