import {
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { discardBody } from "./discard-body.ts";
import type { Activity } from "./idle-connections.ts";
import { HEADER_BYTES_MAX, HEADERS_MAX } from "./normalize-request.ts";
import { LINGER_MS, type Timeouts } from "./timeouts.ts";

/** Requests that a client may have under way on one connection. */
const CONCURRENT_STREAMS_MAX = 100;

export interface Http2Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  /** A parsed request that must not be handled, whatever it says. */
  readonly onMalformed: (response: Http2ServerResponse, reason: string) => void;
}

/** Speaks HTTP/2 on connections that somebody else accepted. */
export interface Http2 {
  accept(socket: Socket, activity: Activity): void;
  /** Asks every client to send nothing new (GOAWAY), and ends its connection once its requests are answered. */
  drain(): void;
}

export function createHttp2(options: Http2Options): Http2 {
  const { timeouts } = options;
  const connections = new Set<Http2Connection>();

  const server = createServer({
    // With it, nghttp2 drops a header whose value begins or ends with a blank, and the request goes on without: a call would be
    // carried out as if it had no Idempotency-Key. Without it, blanks around a value do not count, as over HTTP/1.
    strictFieldWhitespaceValidation: false,
    settings: { maxConcurrentStreams: CONCURRENT_STREAMS_MAX, maxHeaderListSize: HEADER_BYTES_MAX },
    // The header limits are only told to clients, and checked again by the caller, who can answer: some leeway.
    maxHeaderListPairs: 2 * HEADERS_MAX,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // Against rapid resets (CVE-2023-44487): so many at once, then so many a second, then the connection ends.
    streamResetBurst: 1_000,
    streamResetRate: 100,
  });
  // A client may have reset the stream by the time that we hear of it. Answering one that is gone would throw.
  const isGone = (response: Http2ServerResponse) => response.stream.destroyed || response.stream.closed;
  const begin = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    watchStream(response.stream, timeouts);
    if (!response.stream.endAfterHeaders) letUploadEnd(request);
    options.onRequest(request, response);
  };
  server.on("request", (request, response) => {
    if (!isGone(response)) begin(request, response);
  });
  server.on("checkContinue", (request, response) => {
    if (isGone(response)) return;
    response.writeContinue();
    begin(request, response);
  });
  server.on("checkExpectation", (_request, response) => {
    if (!isGone(response)) options.onMalformed(response, "The Expect header asks for what is not supported.");
  });
  server.on("connect", (_request: Http2ServerRequest, response: Http2ServerResponse) => {
    if (!isGone(response)) options.onMalformed(response, "CONNECT is not supported.");
  });
  // What goes wrong in a connection is over with it.
  server.on("sessionError", () => undefined);

  return {
    accept(socket, activity) {
      const register = (session: ServerHttp2Session) => {
        const connection = new Http2Connection(session, socket, activity, timeouts);
        connections.add(connection);
        socket.once("close", () => connections.delete(connection));
      };
      // The server makes the session while it handles the event.
      server.once("session", register);
      server.emit("connection", socket);
      server.off("session", register);
    },
    drain() {
      for (const connection of connections) connection.end();
    },
  };
}

/** Ends a connection that has no request under way for too long. Pings and the like do not count. */
class Http2Connection {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #activity: Activity;
  readonly #timeouts: Timeouts;
  #openStreams = 0;
  #timer: NodeJS.Timeout;

  constructor(session: ServerHttp2Session, socket: Socket, activity: Activity, timeouts: Timeouts) {
    this.#session = session;
    this.#socket = socket;
    this.#activity = activity;
    this.#timeouts = timeouts;
    this.#timer = setTimeout(() => socket.destroy(), timeouts.headersMs);
    session.once("remoteSettings", () => this.#waitForStream());
    session.on("stream", (stream) => this.#count(stream));
    session.on("frameError", () => undefined);
    // Who cannot say anything any more cannot even tell us how much it has read.
    socket.once("end", () => socket.destroy());
    socket.once("close", () => clearTimeout(this.#timer));
  }

  /** GOAWAY; the session ends itself with its last stream, and we do not wait long for the other side to do so too. */
  end(): void {
    if (!this.#session.closed) this.#session.close();
    if (this.#openStreams === 0) this.#after(LINGER_MS, () => this.#socket.destroy());
  }

  #count(stream: ServerHttp2Stream): void {
    this.#openStreams += 1;
    this.#activity.busy();
    clearTimeout(this.#timer);
    stream.once("close", () => {
      this.#openStreams -= 1;
      if (this.#openStreams > 0) return;
      if (this.#session.closed) this.end();
      else this.#waitForStream();
    });
  }

  #waitForStream(): void {
    if (this.#openStreams > 0) return;
    this.#activity.idle(() => this.end());
    this.#after(this.#timeouts.keepAliveMs, () => this.end());
  }

  #after(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(act, delayMs);
  }
}

/**
 * Reads on when a request has been answered before its end, for as long as requests may take; a client that sends nothing for a
 * moment has to give up (RFC 9113 §8.1): it would keep one of the connection's streams. Node would have it give up at once where
 * nobody has begun to read. Proxies lose the answer then (https://github.com/haproxy/haproxy/issues/1219), and HAProxy 2.6 at times
 * the whole connection.
 */
function letUploadEnd(request: Http2ServerRequest): void {
  const { stream } = request;
  // Begins to read, no more than fits its buffer.
  request.read(0);
  stream.once("finish", () => {
    if (request.complete) return;
    discardBody(request);
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
    stream.on("data", () => {
      if (stream.session?.closed === false) timer.refresh();
    });
    stream.once("close", () => clearTimeout(timer));
  });
}

/** Cancels a request that does not arrive in time, and an answer that is not read. */
function watchStream(stream: ServerHttp2Stream, timeouts: Timeouts): void {
  const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
  // While there is something to send, silence is the client's; otherwise the handler takes its time.
  stream.setTimeout(timeouts.stalledMs, () => {
    if (stream.writableLength > 0) cancel();
  });
  if (stream.endAfterHeaders) return;

  const timer = setTimeout(() => {
    const hasArrived = stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
    // A call that streams both ways lasts as long as its client likes.
    const isBeingAnswered = stream.headersSent && !stream.writableEnded;
    if (!hasArrived && !isBeingAnswered) cancel();
  }, timeouts.requestMs);
  stream.once("close", () => clearTimeout(timer));
}
