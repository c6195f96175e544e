import { createClient } from "@connectrpc/connect";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import type { ModeName } from "./mode.ts";
import { serverUrl } from "./server-address.ts";
import { transports } from "./transport.ts";

/** Gets JSON from a path of the server with the session of the cookie, for what has no RPC or is wanted as REST says it. */
export async function fetchWithSession(path: string, mode: ModeName, signal?: AbortSignal): Promise<Response> {
  const get = () =>
    fetch(`${serverUrl}${path}`, {
      headers: { Accept: "application/json", "Byond-Session": "cookie", "Byond-Mode": mode },
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
