import type { Transport } from "./operation.ts";

/** Options of a client. All have defaults. */
export interface ByondOptions {
  /** Where the server is. Default: the environment variable `BYOND_BASE_URL`, or `BYOND_URL`, or `http://127.0.0.1:8080`. */
  readonly baseUrl?: string | undefined;
  /** The API key. Default: the environment variable `BYONDAPI_KEY`, unless there is an `accessToken`. */
  readonly apiKey?: string | undefined;
  /** The access token of a session, for calls that manage keys, accounts and workspaces. Instead of a key. */
  readonly accessToken?: string | undefined;
  /** With an `accessToken`: the mode that calls are about. Default: `live`. Keys have a mode of their own. */
  readonly mode?: "live" | "test" | undefined;
  /** Whether requests are signed (`v2`), each attempt anew, for keys that demand it. Default: `false`. Not over gRPC. */
  readonly signRequests?: boolean | undefined;
  /** How often a failed call is repeated at most. Default: 2. */
  readonly maxRetries?: number | undefined;
  /** The deadline of a call, all attempts and pauses included. Default: 30,000. Of a stream: until it is open. */
  readonly timeoutMs?: number | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What sends requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How calls get to the server. Default: REST, by `fetch`. See `byond-sdk/grpc`. */
  readonly transport?: ((options: TransportOptions) => Transport) | undefined;
  /**
   * Allows an API key in a browser, where everybody who opens the page can read it. Only for tools that are not public. Without it, a client
   * with a key throws there.
   */
  readonly dangerouslyAllowBrowser?: boolean | undefined;
}

/** What a transport is made of. */
export interface TransportOptions {
  /** Without a slash at its end, and without the path of the API. */
  readonly baseUrl: string;
  /** What sends requests over REST. */
  readonly fetch: typeof globalThis.fetch;
  /** The credential that signs requests. Undefined: they are not signed. */
  readonly signingKey: string | undefined;
}

/** Options of one call. */
export interface CallOptions {
  /** The `Idempotency-Key` of the call. Default: a random one. Use your own to repeat a call after a crash. */
  readonly idempotencyKey?: string | undefined;
  /** Ends the call. It then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The deadline of the call, instead of the client's. */
  readonly timeoutMs?: number | undefined;
  /** How often it is repeated at most, instead of the client's `maxRetries`. */
  readonly maxRetries?: number | undefined;
  /** Headers of its requests, beside the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface Process {
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A variable of the environment, where the runtime has one. */
export function environmentVariable(name: string): string | undefined {
  const { process } = globalThis as { readonly process?: Process };
  return process?.env?.[name] || undefined;
}

/** Whether this is a page of a browser. */
export function isBrowser(): boolean {
  return "window" in globalThis && "document" in globalThis;
}
