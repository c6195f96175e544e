import { METHODS, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { LINGER_MS } from "./timeouts.ts";

export const REASONS_BY_STATUS = {
  400: "The request is not valid HTTP.",
  408: "The request took too long to arrive.",
  413: "The chunk extensions of the body are too long.",
  431: "The request headers are too many or too long.",
  501: "The request method is not known.",
} as const;

export type RefusalStatus = keyof typeof REASONS_BY_STATUS;

/** Node's error for input that it cannot parse. */
export interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

/** Whether the unparsed input begins with a request line whose method is unknown (RFC 9110 §9.1). */
function isOfUnknownMethod({ rawPacket }: ParserError): boolean {
  const requestLine = /^(?:\r\n)*([\w!#$%&'*+.^`|~-]+) \S+ HTTP\/1\.[01]\r?\n/;
  const [, method] = requestLine.exec(rawPacket?.toString("latin1") ?? "") ?? [];
  return method !== undefined && !METHODS.includes(method);
}

/** The `Origin` header of the unparsed input, if it was received. Not trusted: the caller compares it with the allowed origins. */
export function originOf({ rawPacket }: ParserError): string | undefined {
  return /\r\norigin:[ \t]*(\S+)[ \t]*\r\n/i.exec(rawPacket?.toString("latin1") ?? "")?.[1];
}

/** The status for an error of Node's HTTP/1.1 parser. Undefined if there is nobody to answer. */
export function statusOfParserError(error: ParserError): RefusalStatus | undefined {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  if (error.code === "HPE_HEADER_OVERFLOW") return 431;
  if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return 413;
  // The parser also knows the methods of other protocols, and reports those as invalid constants.
  if (/^HPE_INVALID_(METHOD|CONSTANT)$/.test(error.code ?? "") && isOfUnknownMethod(error)) return 501;
  return error.code?.startsWith("HPE_") ? 400 : undefined;
}

/** The content of a refusal. */
export interface RefusalContent {
  /** The headers that every answer of the server has, by name. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/**
 * Writes a whole answer to a socket that has no response object, and closes it. For a moment, further input is read and
 * discarded: closing at once could cost the client the answer (RFC 9112 §9.6).
 */
export function refuseOnSocket(socket: Socket, status: RefusalStatus, { headers, body }: RefusalContent): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Date: ${new Date().toUTCString()}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}
