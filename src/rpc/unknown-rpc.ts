import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { AppError } from "../errors.ts";
import { requestRecordKey } from "../observe/request-record.ts";
import type { ErrorReporter } from "./wire-errors.ts";

/** Whether a request that REST found no path for speaks gRPC or gRPC-Web, in whatever format. */
export function isUnknownRpc(
  { header, method, contextValues }: UniversalServerRequest,
  { status }: UniversalServerResponse,
): boolean {
  const isUnmatched = status === 404 && contextValues?.get(requestRecordKey).route === undefined;
  const type = header.get("content-type") ?? "";
  return isUnmatched && method === "POST" && /^application\/grpc(?:-web|-web-text)?(?:\+|;|\s|$)/i.test(type);
}

/**
 * Answers a call over gRPC to a path that is no RPC's: `UNIMPLEMENTED`. Of a plain 404, clients tell their callers the HTTP
 * status instead.
 */
export function answerUnknownRpc(
  errors: ErrorReporter,
  { header, contextValues }: UniversalServerRequest,
): UniversalServerResponse {
  const record = contextValues?.get(requestRecordKey) ?? requestRecordKey.defaultValue;
  const error = errors.toAppError(new AppError("not_found", "There is no such RPC."), record);
  const value = errors.toErrorInfo(error, record.requestId);
  const unimplemented = new ConnectError(error.message, Code.Unimplemented, undefined, [
    { desc: ErrorInfoSchema, value },
  ]);
  const type = header.get("content-type") ?? "";
  const status = new Headers();
  setTrailerStatus(status, unimplemented);
  // In trailers for gRPC; gRPC-Web, which has none, takes them from the headers of an answer without a body.
  return /^application\/grpc-web/i.test(type)
    ? { status: 200, header: new Headers([...status, ["content-type", type]]) }
    : { status: 200, header: new Headers({ "content-type": type }), trailer: status };
}
