import { isObject, type Json, type JsonObject } from "./converters.ts";
import { ByondError, readError } from "./errors.ts";
import type { Attempt, StreamMessage, Transport } from "./operation.ts";
import type { TransportOptions } from "./options.ts";
import { parseServerSentEvents } from "./server-sent-events.ts";
import { signRequest } from "./sign-request.ts";

/** JSON over HTTP, with nothing but `fetch`. */
export function restTransport({ baseUrl, fetch, signingKey }: TransportOptions): Transport {
  /** Sends a request. Throws `connection_failed`, or what the signal was aborted with. */
  async function send(attempt: Attempt, accept: string): Promise<Response> {
    const { operation, headers, signal } = attempt;
    const target = targetOf(attempt);
    const body = operation.parametersIn === "body" ? JSON.stringify(attempt.parameters) : undefined;
    const signature =
      signingKey === undefined
        ? {}
        : {
            "Byond-Signature": await signRequest({
              credential: signingKey,
              method: operation.method,
              target,
              body: body ?? "",
            }),
          };
    const init: RequestInit = {
      method: operation.method,
      headers: {
        Accept: accept,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
        ...signature,
      },
      // A redirection would carry the credential elsewhere.
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body }),
    };
    return fetch(baseUrl + target, init).catch((cause) => failed(cause, signal));
  }

  return {
    async call(attempt) {
      const response = await send(attempt, "application/json");
      return readAnswer(response, await response.text().catch((cause) => failed(cause, attempt.signal)));
    },
    async stream(attempt) {
      const response = await send(attempt, "text/event-stream");
      if (!response.ok || response.body === null) {
        readAnswer(response, await response.text().catch((cause) => failed(cause, attempt.signal)));
        throw invalidResponse(response);
      }
      if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
        // A page of a proxy, with blank lines, would pass for heartbeats.
        await response.body.cancel();
        throw invalidResponse(response);
      }
      return readStream(response.body, attempt.signal);
    },
  };
}

function failed(cause: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  throw new ByondError("The server was not reached, or the connection was lost.", { code: "connection_failed", cause });
}

/** Path and query, as they are sent. */
function targetOf({ operation, path, parameters }: Attempt): string {
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encode(path[name] ?? ""));
  if (operation.parametersIn !== "query") {
    return filled;
  }
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined || one === null ? [] : [[name, String(one)]])),
  );
  const query = pairs.map((pair) => pair.map(encode).join("=")).join("&");
  return query === "" ? filled : `${filled}?${query}`;
}

/** `fetch` would encode the apostrophe after the target was signed. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("'", "%27");
}

/** The JSON of a successful answer, out of its envelope if it has one. Throws the error of any other. */
function readAnswer(response: Response, text: string): Json {
  let body: Json;
  try {
    body = JSON.parse(text);
  } catch {
    throw invalidResponse(response);
  }
  const envelope = isEnvelope(body) ? body : undefined;
  if (response.ok && envelope?.ok !== false) {
    const result = envelope === undefined ? body : envelope.data;
    if (!isObject(result)) {
      throw invalidResponse(response);
    }
    return result;
  }
  throw (isObject(body) ? readError(body.error, response.status) : undefined) ?? invalidResponse(response);
}

/** `{"ok":true,"data":…}` or `{"ok":false,"error":…}`, where a client or a proxy asks for it (`Byond-Envelope`). */
function isEnvelope(body: Json): body is JsonObject & { readonly ok: boolean } {
  return isObject(body) && typeof body.ok === "boolean" && ("data" in body || "error" in body);
}

function invalidResponse({ status, headers }: Response): ByondError {
  return new ByondError(`The answer, with status ${status}, is not one of the API. Is the base URL right?`, {
    code: "invalid_response",
    status,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfter: secondsOf(headers.get("retry-after")),
  });
}

/** `Retry-After`: seconds, or the date when they are over. */
function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null || /^\d{1,15}$/.test(retryAfter)) {
    return retryAfter === null ? undefined : Number(retryAfter);
  }
  const atMs = /^[A-Za-z]/.test(retryAfter) ? Date.parse(retryAfter) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - Date.now()) / 1_000);
}

function parseEvent(data: string): Json {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new ByondError("An event of the stream is not JSON.", { code: "invalid_response", cause });
  }
}

async function* readStream(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<StreamMessage> {
  const events = parseServerSentEvents(body);
  try {
    for (;;) {
      const { done, value } = await events.next().catch((cause) => failed(cause, signal));
      if (done === true) {
        return;
      }
      const { event, data, id } = value;
      const json = data === undefined ? undefined : parseEvent(data);
      if (event === "error") {
        throw (isObject(json) ? readError(json.error) : undefined) ?? failed(undefined, signal);
      }
      yield { ...(json === undefined ? {} : { result: json }), ...(id === undefined ? {} : { resumeAfter: id }) };
    }
  } finally {
    await events.return(undefined);
  }
}
