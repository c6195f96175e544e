import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";

/** How much of a body is read after its request was answered, to keep the connection usable. */
const DISCARDED_BYTES_MAX = 256 * 1024;

type HeadersToWrite = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Closes the connection with an answer that is sent before the end of a body that may be long: the next request would follow
 * that body, so the body must be read or the connection closed (RFC 9112 §9.3).
 */
export class Http1Response<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** All of the connection that are not answered yet, when the server drains. The last one closes the connection: those before it would cut it off. */
  drained: readonly ServerResponse[] | undefined;

  override writeHead(statusCode: number, statusMessage?: string, headers?: HeadersToWrite): this;
  override writeHead(statusCode: number, headers?: HeadersToWrite): this;
  override writeHead(statusCode: number, second?: string | HeadersToWrite, headers?: HeadersToWrite): this {
    if (this.drained?.at(-1) === this || (!this.req.complete && mayBeLong(this.req))) this.shouldKeepAlive = false;
    if (this.socket?.readableEnded === true) {
      // The client half-closed before. An answer that does not end at once is a stream, and nobody could end it.
      setImmediate(() => {
        if (!this.writableEnded) this.socket?.destroy();
      });
    }
    return typeof second === "string"
      ? super.writeHead(statusCode, second, headers)
      : super.writeHead(statusCode, second);
  }
}

function mayBeLong({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > DISCARDED_BYTES_MAX;
}
