import { getOption } from "@bufbuild/protobuf";
import { createClient, type Interceptor, type StreamResponse, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { access, Credential } from "#gen/byond/v1/access_pb.ts";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { isSessionRefused, toHouseError } from "./house-error.ts";
import type { ModeName } from "./mode.ts";
import { serverUrl } from "./server-address.ts";
import { sessionStore } from "./session-store.ts";

/** Says that the cookie is the credential of the call. A form of another site cannot send it. */
const withCookie: Interceptor = (next) => (request) => {
  request.header.set("Byond-Session", "cookie");
  return next(request);
};

/** Tells the mode where the call is about one of the two. */
function withMode(mode: ModeName): Interceptor {
  return (next) => (request) => {
    if (getOption(request.method, access).byMode) {
      request.header.set("Byond-Mode", mode);
    }
    return next(request);
  };
}

// gRPC-Web: its refusals are answers with status 200, which a browser does not report on its console as Connect's.
function createTransport(interceptors: Interceptor[]): Transport {
  return createGrpcWebTransport({
    baseUrl: serverUrl,
    fetch: (input, init) => fetch(input, { ...init, credentials: "same-origin" }),
    interceptors,
  });
}

/** For calls without a session: sign-up, sign-in, password reset. */
export const openTransport: Transport = createTransport([withCookie]);

const auth = createClient(AuthService, openTransport);
let refreshing: Promise<void> | undefined;

/** Gets the session's next tokens into the cookie, once for all calls that ask at the same time. */
function refreshSession(): Promise<void> {
  refreshing ??= auth
    .refreshSession({})
    .then(() => undefined)
    .finally(() => {
      refreshing = undefined;
    });
  return refreshing;
}

/** Refusals of a refresh that do not say that the session has ended. */
const mayPass = new Set(["offline", "unavailable", "rate_limited", "internal_error"]);

/** Makes the session good again: refreshes it, or waits until somebody has signed in. Throws the refusal if neither happens. */
async function renewSession(refusal: unknown): Promise<void> {
  try {
    await refreshSession();
  } catch (error) {
    if (mayPass.has(toHouseError(error).code)) {
      throw error;
    }
    await sessionStore.waitForSignIn(refusal);
  }
}

/** Repeats a call whose session was refused, once it is good again. */
const withRenewal: Interceptor = (next) => async (request) => {
  if (getOption(request.method, access).credential === Credential.NONE) {
    return next(request);
  }
  if (request.stream) {
    const messages = await Array.fromAsync(request.message);
    const call = () => next({ ...request, message: iterate(messages) }) as Promise<StreamResponse>;
    return repeatStream(call);
  }
  try {
    return await next(request);
  } catch (error) {
    if (!isSessionRefused(error)) {
      throw error;
    }
    await renewSession(error);
    return next(request);
  }
};

async function* iterate<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}

/** A stream is refused before its first message: as an error of the call, or of the first message that is read. */
async function repeatStream(call: () => Promise<StreamResponse>): Promise<StreamResponse> {
  const renewed = async (error: unknown): Promise<StreamResponse> => {
    if (!isSessionRefused(error)) {
      throw error;
    }
    await renewSession(error);
    return call();
  };
  const response = await call().catch(renewed);
  async function* messages() {
    const iterator = response.message[Symbol.asyncIterator]();
    let first: IteratorResult<object>;
    try {
      first = await iterator.next();
    } catch (error) {
      yield* (await renewed(error)).message;
      return;
    }
    if (!first.done) {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => iterator };
    }
  }
  return { ...response, message: messages() } as StreamResponse;
}

/** For all other calls. One transport for each mode: what is kept of answers is kept apart, too. */
export const transports: Readonly<Record<ModeName, Transport>> = {
  live: createTransport([withCookie, withRenewal, withMode("live")]),
  test: createTransport([withCookie, withRenewal, withMode("test")]),
};
