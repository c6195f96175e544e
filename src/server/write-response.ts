import type { Http2ServerResponse } from "node:http2";
import { HeaderFields } from "@byond/rest/header-fields";
import { SingleChunk } from "@byond/rest/single-chunk";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { NodeResponse } from "./normalize-request.ts";
import { isGone } from "./server-request.ts";

/** Headers that every answer has unless it has others of these names. */
export type DefaultHeaders = Readonly<Record<string, string>>;

/** Sends the answer to a call: in one go if all of it is there, chunk by chunk as it streams. */
export async function writeResponse(
  answer: UniversalServerResponse,
  response: NodeResponse,
  defaults: DefaultHeaders,
): Promise<void> {
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
  setHeaders(response, defaults);
  await universalResponseToNodeResponse(answer, response).catch((error: unknown) => {
    // The client went away while it was answered. What it asked for has been done.
    if (!isGone(response)) {
      throw error;
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
  { status, header, trailer, body }: UniversalServerResponse,
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
  // The union of both kinds of response has no common signature of `writeHead`.
  if (!("stream" in response)) {
    response.writeHead(status, fields);
  } else if (body === undefined) {
    response.writeHead(status, fields);
  } else {
    respondOnStream(response, status, fields, trailer !== undefined);
  }
}

/** The headers before a body: `writeHead` of HTTP/2 looks each name up in what was set before, twice. The stream takes the list as it is. */
function respondOnStream(
  response: Http2ServerResponse,
  status: number,
  fields: readonly string[],
  waitForTrailers: boolean,
): void {
  const { stream } = response;
  if (stream.destroyed || stream.closed) {
    return;
  }
  const all = [":status", String(status), ...fields];
  for (const name of response.getHeaderNames()) {
    if (!hasField(fields, name)) {
      all.push(name, String(response.getHeader(name)));
    }
  }
  // For whoever asks the response.
  response.statusCode = status;
  stream.respond(all, { waitForTrailers });
}

/** `name`: in lower case. A second `X-Content-Type-Options` would be refused by Node, and the stream closed without an answer. */
function hasField(fields: readonly string[], name: string): boolean {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toLowerCase() === name) {
      return true;
    }
  }
  return false;
}
