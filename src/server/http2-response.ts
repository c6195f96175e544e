import { constants, type ServerHttp2Stream } from "node:http2";
import type { Http2Request } from "./http2-request.ts";

/** The answer to a request over HTTP/2, with the names that Node's HTTP/1.1 responses have. Its events are those of `stream`. */
export class Http2Response {
  readonly stream: ServerHttp2Stream;
  readonly req: Http2Request;
  statusCode = 200;
  #isEnded = false;
  /** By name in lower case. Made for the first field: most answers come with theirs. */
  #fields: Map<string, string> | undefined;
  #trailers: Readonly<Record<string, string>> | undefined;

  constructor(request: Http2Request) {
    this.req = request;
    this.stream = request.stream;
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  get writableEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether all of the answer has left. Node closes a stream with its last bytes, before it calls them written. */
  get writableFinished(): boolean {
    const { closed, rstCode, writableFinished } = this.stream;
    return this.#isEnded && (writableFinished || (closed && rstCode === constants.NGHTTP2_NO_ERROR));
  }

  setHeader(name: string, value: string): void {
    this.#fields ??= new Map();
    this.#fields.set(name.toLowerCase(), value);
  }

  /**
   * Sends the headers: those in `fields`, a list of names and values in turns, and those that were set before and have other names. If trailers
   * will follow, that must be known by now.
   */
  writeHead(status: number, fields: readonly string[] = [], hasTrailers = this.#trailers !== undefined): void {
    this.#respond(status, fields, { waitForTrailers: hasTrailers });
  }

  /** The fields that follow the body. */
  addTrailers(trailers: Readonly<Record<string, string>>): void {
    this.#trailers = trailers;
  }

  /** Returns false if the next chunk should wait for `drain` of the stream. */
  write(chunk: Uint8Array): boolean {
    if (this.#isGone) return false;
    if (!this.headersSent) this.writeHead(this.statusCode);
    return this.#isHead || this.stream.write(chunk);
  }

  end(body?: string | Uint8Array, encoding: BufferEncoding = "utf8"): void {
    if (this.#isEnded || this.#isGone) return;
    this.#isEnded = true;
    const { stream } = this;
    const chunk = body === undefined || body.length === 0 || this.#isHead ? undefined : body;
    if (!stream.headersSent) {
      const endStream = chunk === undefined && this.#trailers === undefined;
      this.#respond(this.statusCode, [], { endStream, waitForTrailers: this.#trailers !== undefined });
    }
    if (chunk === undefined) stream.end();
    else if (!stream.writableEnded) stream.end(chunk, encoding);
  }

  /** Gives up the answer: the client is told by a reset. */
  destroy(): void {
    this.stream.destroy();
  }

  /** Its headers are all of the answer. */
  get #isHead(): boolean {
    return this.req.method === "HEAD";
  }

  /** The client has reset the stream, or has all of it. */
  get #isGone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  #respond(
    status: number,
    fields: readonly string[],
    options: { readonly endStream?: boolean; readonly waitForTrailers: boolean },
  ): void {
    const { stream } = this;
    if (this.#isGone) return;
    this.statusCode = status;
    const all = [":status", String(status), ...fields];
    // The same name twice would be refused by Node, and the stream closed without an answer.
    this.#fields?.forEach((value, name) => {
      if (!hasField(fields, name)) all.push(name, value);
    });
    // Node emits it while it sends: what is said of a call at its end is known by then.
    if (options.waitForTrailers) stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers ?? {}));
    stream.respond(all, options);
  }
}

/** `name`: in lower case. */
function hasField(fields: readonly string[], name: string): boolean {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toLowerCase() === name) return true;
  }
  return false;
}
