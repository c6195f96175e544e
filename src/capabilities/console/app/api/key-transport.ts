import type { Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { isSessionRefused } from "./house-error.ts";
import { forgetPlaygroundKey, type PlaygroundKey, playgroundKey } from "./playground-key.ts";
import { serverUrl } from "./server-address.ts";

/** Calls with the playground's key. One that was made and is refused, since somebody revoked it, is made again once. */
const withKey: Interceptor = (next) => async (request) => {
  const call = ({ key }: PlaygroundKey) => {
    request.header.set("X-API-Key", key);
    return next(request);
  };
  const key = await playgroundKey();
  try {
    return await call(key);
  } catch (error) {
    if (key.made === undefined || request.stream || !isSessionRefused(error)) {
      throw error;
    }
    forgetPlaygroundKey();
    return call(await playgroundKey());
  }
};

/** For what takes a key, and no session. No cookie is sent. */
export const keyTransport = createGrpcWebTransport({
  baseUrl: serverUrl,
  fetch: (input, init) => fetch(input, { ...init, credentials: "omit" }),
  interceptors: [withKey],
});
