import { Code, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { AppError } from "../errors.ts";
import { setTrailerStatus } from "./connect-protocols.ts";
import { type ErrorReporter, toConnectError } from "./wire-errors.ts";

/** Whether a request without a REST route is a gRPC or gRPC-Web call, in any format. */
export function isUnknownRpc({ header, method }: UniversalServerRequest): boolean {
  const type = header.get("content-type") ?? "";
  return method === "POST" && /^application\/grpc(?:-web|-web-text)?(?:\+|;|\s|$)/i.test(type);
}

/** Answers a gRPC call of an unknown RPC with `UNIMPLEMENTED`. With a plain 404, clients would report the HTTP status instead. */
export function answerUnknownRpc(
  errors: ErrorReporter,
  { header, contextValues }: UniversalServerRequest,
): UniversalServerResponse {
  const unimplemented = new AppError("not_found", "There is no such RPC.", { rpcCode: Code.Unimplemented });
  const type = header.get("content-type") ?? "";
  const status = new Headers();
  setTrailerStatus(status, toConnectError(errors, unimplemented, contextValues ?? createContextValues()));
  // gRPC has the status in the trailers. gRPC-Web has no trailers: it takes the status from the headers of an empty answer.
  return /^application\/grpc-web/i.test(type)
    ? { status: 200, header: new Headers([...status, ["content-type", type]]) }
    : { status: 200, header: new Headers({ "content-type": type }), trailer: status };
}
