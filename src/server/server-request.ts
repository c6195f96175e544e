import type { IncomingHttpHeaders } from "node:http";
import { constants } from "node:http2";
import { HeaderFields, trimFieldValue } from "@byond/rest/header-fields";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { NodeRequest, NodeResponse } from "./normalize-request.ts";
import { RawBody, rawBodyKey } from "./raw-body.ts";

/**
 * A request as the handlers of calls take it, whatever its protocol. What few calls ask for, the URL and the signal, is made when
 * somebody does. Its values get to know its body.
 */
export class ServerRequest implements UniversalServerRequest {
  readonly httpVersion: string;
  readonly method: string;
  readonly header: Headers;
  readonly body: RawBody;
  readonly contextValues: ContextValues;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  #url: string | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: NodeRequest, response: NodeResponse, values: ContextValues) {
    this.httpVersion = request.httpVersion;
    this.method = request.method ?? "";
    this.header = readHeaders(request.headers);
    this.body = new RawBody(bodyOf(request));
    this.contextValues = values.set(rawBodyKey, this.body);
    this.#request = request;
    this.#response = response;
  }

  get url(): string {
    this.#url ??= `${originOf(this.#request)}${this.target}`;
    return this.#url;
  }

  /** Path and query, as they are in the URL. */
  get target(): string {
    const target = this.#request.url ?? "";
    if (plainTarget.test(target)) {
      return target;
    }
    const origin = originOf(this.#request);
    return new URL(target, origin).href.slice(new URL(origin).origin.length);
  }

  /** Aborts when the connection, or the stream of it, has closed: the client has gone away, or has its answer. */
  get signal(): AbortSignal {
    this.#signal ??= signalOfClose(this.#request, this.#response);
    return this.#signal;
  }
}

/** Targets that `URL` writes as they are: no segment of the path begins with a dot, and no character would be escaped. */
const plainTarget = /^(?:\/(?!\.|%2e)|[\w.?&=+%-])*$/i;

function originOf(request: NodeRequest): string {
  const authority = "authority" in request ? request.authority : request.headers.host;
  const scheme = "encrypted" in request.socket ? "https" : "http";
  return `${scheme}://${authority}`;
}

/** Over HTTP/1.1, the headers tell whether there may be a body (RFC 9112 §6.3). */
function bodyOf(request: NodeRequest): AsyncIterable<Uint8Array> {
  if ("stream" in request) {
    return request.stream.endAfterHeaders ? noBody : request.body;
  }
  const { headers } = request;
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined ? request : noBody;
}

const noBody: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(atEnd) }) };
const atEnd = { done: true, value: undefined } as const;

/** The headers of a request, without those that HTTP/2 has for other things (`:path`). */
function readHeaders(received: IncomingHttpHeaders): HeaderFields {
  const fields: string[] = [];
  for (const name in received) {
    const value = received[name];
    if (value !== undefined && !name.startsWith(":")) {
      fields.push(name, trimFieldValue(typeof value === "string" ? value : value.join(", ")));
    }
  }
  return new HeaderFields(fields);
}

/** Whether nobody reads the answer any more. */
export function isGone(response: NodeResponse): boolean {
  return "stream" in response ? response.stream.destroyed || response.stream.closed : response.destroyed;
}

/** What emits the events of a response: `close`, `drain`. */
export function emitterOf(response: NodeResponse): NodeJS.EventEmitter {
  return "stream" in response ? response.stream : response;
}

function signalOfClose(request: NodeRequest, response: NodeResponse): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(reasonOfClose(request));
  if (isGone(response)) {
    abort();
  } else {
    emitterOf(response).once("close", abort);
  }
  return controller.signal;
}

/** The codes are those that Connect's own adapter has for it. */
function reasonOfClose(request: NodeRequest): ConnectError {
  return "stream" in request && request.stream.rstCode === constants.NGHTTP2_CANCEL
    ? new ConnectError("the client has cancelled the request", Code.Canceled)
    : new ConnectError("the connection has closed", Code.Aborted);
}
