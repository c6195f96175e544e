import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { GatewayError } from "./gateway-error.ts";

/** How an error is answered. */
export interface RestError {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  /** Anything that `JSON.stringify` takes. */
  readonly body: unknown;
}

/** The answer with a JSON text. To `HEAD`, its headers alone. */
export function jsonResponse(status: number, header: Headers, text: string, isHead: boolean): UniversalServerResponse {
  const bytes = Buffer.from(text);
  header.set("content-type", "application/json");
  header.set("content-length", String(bytes.length));
  return isHead ? { status, header } : { status, header, body: single(bytes) };
}

/** The answer to an error. The headers that belong to a {@link GatewayError} are set whatever the hook returned. */
export function errorResponse(
  error: unknown,
  answer: RestError,
  header: Headers,
  isHead: boolean,
): UniversalServerResponse {
  for (const [name, value] of headerEntries(answer.headers)) {
    header.set(name, value);
  }
  if (error instanceof GatewayError) {
    for (const [name, value] of Object.entries(error.headers)) {
      header.set(name, value);
    }
  }
  return jsonResponse(answer.status, header, JSON.stringify(answer.body) ?? "null", isHead);
}

function headerEntries(headers: RestError["headers"] = {}): Iterable<[string, string]> {
  return headers instanceof Headers ? headers : Object.entries(headers);
}

async function* single(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
