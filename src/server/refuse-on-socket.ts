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

/** What Node reports of what it cannot parse. */
export interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

/** Whether what was not parsed begins with a request, of a method that is not known (RFC 9110 §9.1), and not with anything else. */
function isOfUnknownMethod({ rawPacket }: ParserError): boolean {
  const requestLine = /^(?:\r\n)*([\w!#$%&'*+.^`|~-]+) \S+ HTTP\/1\.[01]\r?\n/;
  const [, method] = requestLine.exec(rawPacket?.toString("latin1") ?? "") ?? [];
  return method !== undefined && !METHODS.includes(method);
}

/** The `Origin` of what was not parsed, if it got as far. Whoever answers it compares it with those that it knows. */
export function originOf({ rawPacket }: ParserError): string | undefined {
  return /\r\norigin:[ \t]*(\S+)[ \t]*\r\n/i.exec(rawPacket?.toString("latin1") ?? "")?.[1];
}

/** The status for what Node's HTTP/1.1 parser refused, by the `code` of its error; undefined if there is nobody to answer. */
export function statusOfParserError(error: ParserError): RefusalStatus | undefined {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  if (error.code === "HPE_HEADER_OVERFLOW") return 431;
  if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return 413;
  // The parser knows methods of other protocols too, and says of those that they are out of place.
  if (/^HPE_INVALID_(METHOD|CONSTANT)$/.test(error.code ?? "") && isOfUnknownMethod(error)) return 501;
  return error.code?.startsWith("HPE_") ? 400 : undefined;
}

/** What such a refusal says. */
export interface RefusalContent {
  /** By name; what every answer of the server carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/**
 * Writes a whole answer to a connection that has no response object, and ends it. What the client still sends is read
 * and thrown away for a moment: closing at once could cost it the answer (RFC 9112 §9.6).
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
