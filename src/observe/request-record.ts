import { type Code, createContextKey } from "@connectrpc/connect";

/** A key as it is recorded. */
export interface RecordedKey {
  readonly keyPrefix: string;
  readonly workspaceId: string;
  readonly mode: "live" | "test";
}

/** What is known about a request. It is filled in while the request is processed, and logged at the end. */
export interface RequestRecord {
  /** `req_…`, also in the header `X-Request-Id` and in every error. */
  readonly requestId: string;
  /** The route's template or the RPC's path. Never the URL, which may hold secrets. */
  route: string | undefined;
  /** The key that made the call. */
  key: RecordedKey | undefined;
  /** The code of the error that the call ended with. */
  errorCode: string | undefined;
  /** The same, as RPC says it. */
  rpcCode: Code | undefined;
}

/** Set by the server for each request, on every protocol. */
export const requestRecordKey = createContextKey<RequestRecord>(
  { requestId: "req_none", route: undefined, key: undefined, errorCode: undefined, rpcCode: undefined },
  { description: "request record" },
);
