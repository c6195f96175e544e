import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/**
 * A request over HTTP/2, with the names that Node's HTTP/1.1 requests have. Node's own, for compatibility, is a second stream on top of the
 * first: it and its response took a sixth of the CPU of a call over gRPC.
 */
export class Http2Request implements AsyncIterable<Buffer> {
  readonly httpVersion = "2.0";
  readonly httpVersionMajor = 2;
  readonly stream: ServerHttp2Stream;
  readonly socket: Socket;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turns. */
  readonly rawHeaders: readonly string[];
  readonly method: string | undefined;
  url: string | undefined;

  constructor(stream: ServerHttp2Stream, socket: Socket, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.stream = stream;
    this.socket = socket;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.method = headers[":method"];
    this.url = headers[":path"];
  }

  /** The host that the request is for (RFC 9113 §8.3.1). */
  get authority(): string {
    return this.headers[":authority"] ?? this.headers.host ?? "";
  }

  /** Its body. Must not be destroyed: the answer is sent on the same stream. */
  get body(): Readable {
    return this.stream;
  }

  /** The chunks of its body. Who stops early leaves the stream as it is. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.stream.iterator({ destroyOnReturn: false });
  }
}
