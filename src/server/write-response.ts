import { HeaderFields } from "@byond/rest/header-fields";
import { SingleChunk } from "@byond/rest/single-chunk";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { NodeResponse } from "./normalize-request.ts";
import { emitterOf, isGone } from "./server-request.ts";

/** Headers that every answer has unless it has others of these names. */
export type DefaultHeaders = Readonly<Record<string, string>>;

/** Sends the answer to a call: in one go if all of it is there, chunk by chunk as it streams. */
export function writeResponse(
  answer: UniversalServerResponse,
  response: NodeResponse,
  defaults: DefaultHeaders,
): Awaitable<void> {
  const { body } = answer;
  if (body === undefined || body instanceof SingleChunk) {
    writeHead(answer, response, defaults);
    if (answer.trailer !== undefined) {
      response.addTrailers(Object.fromEntries(answer.trailer));
    }
    if (body === undefined) {
      response.end();
    } else if (body.ascii === undefined) {
      response.end(body.bytes);
    } else {
      // Head and body are one text then, and one write.
      response.end(body.ascii, "latin1");
    }
    return;
  }
  return writeChunks(answer, body, response, defaults).catch((error: unknown) => {
    // The client went away while it was answered. What it asked for has been done.
    if (!isGone(response)) {
      throw error;
    }
  });
}

/** Sends each chunk when the client has taken what was sent before. */
async function writeChunks(
  answer: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  response: NodeResponse,
  defaults: DefaultHeaders,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    let next = await chunks.next();
    // Not before: until then, headers may be set.
    writeHead(answer, response, defaults);
    for (; next.done !== true; next = await chunks.next()) {
      if (isGone(response)) {
        return;
      }
      if (!response.write(next.value)) {
        await drained(response);
      }
    }
    if (answer.trailer !== undefined) {
      response.addTrailers(Object.fromEntries(answer.trailer));
    }
    response.end();
  } finally {
    // Not awaited: it ends when the signal of the request aborts, if not before.
    chunks.return?.().catch(() => undefined);
  }
}

function drained(response: NodeResponse): Promise<void> {
  const emitter = emitterOf(response);
  return new Promise((resolve) => {
    const done = () => {
      emitter.off("drain", done).off("close", done);
      resolve();
    };
    emitter.on("drain", done).on("close", done);
    if (isGone(response)) {
      done();
    }
  });
}

export function setHeaders(response: NodeResponse, headers: DefaultHeaders): void {
  for (const name in headers) {
    response.setHeader(name, headers[name] ?? "");
  }
}

/** Node writes a flat list of names and values as it is, which `setHeader` for each of them would prevent. */
function writeHead(
  { status, header, trailer }: UniversalServerResponse,
  response: NodeResponse,
  defaults: DefaultHeaders,
): void {
  const fields: string[] = [];
  for (const name in defaults) {
    if (header?.has(name) !== true) {
      fields.push(name, defaults[name] ?? "");
    }
  }
  if (header instanceof HeaderFields) {
    header.appendTo(fields);
  } else {
    for (const [name, value] of header ?? []) {
      fields.push(name, value);
    }
  }
  if ("stream" in response) {
    response.writeHead(status, fields, trailer !== undefined);
  } else {
    response.writeHead(status, fields);
  }
}
