import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { ErrorInfoSchema } from "#gen/byond/v1/error_pb.ts";
import type { ModeName } from "./mode.ts";
import { serverUrl } from "./server-address.ts";
import { transports } from "./transport.ts";

/** Gets JSON, or what else `accept` says, from a path of the server with the session of the cookie, for what has no RPC or is wanted as REST says it. */
export async function fetchWithSession(
  path: string,
  mode: ModeName,
  signal?: AbortSignal,
  accept = "application/json",
): Promise<Response> {
  const get = () =>
    fetch(`${serverUrl}${path}`, {
      headers: { Accept: accept, "Byond-Session": "cookie", "Byond-Mode": mode },
      credentials: "same-origin",
      ...(signal && { signal }),
    });
  const response = await get();
  if (response.status !== 401) {
    return response;
  }
  // Renews the session, or waits until somebody has signed in.
  await createClient(AuthService, transports[mode]).getMe({});
  return get();
}

interface RestError {
  readonly error?: JsonValue;
}

/** The JSON of an answer. Throws the error that the server describes in it. */
export async function readJson<Body>(response: Response): Promise<Body> {
  const body: Body & RestError = await response.json();
  if (response.ok) {
    return body;
  }
  const info = fromJson(ErrorInfoSchema, body.error ?? {}, { ignoreUnknownFields: true });
  throw new ConnectError(info.message, Code.Unknown, undefined, [{ desc: ErrorInfoSchema, value: info }]);
}
