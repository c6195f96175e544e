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

/** How many requests a client may have in progress on one connection. */
const CONCURRENT_STREAMS_MAX = 100;

export interface Http2Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  /** Answers a request that was parsed but must not be handled. */
  readonly onMalformed: (response: Http2ServerResponse, reason: string) => void;
}

/** Serves HTTP/2 on connections that the port accepted. */
export interface Http2 {
  accept(socket: Socket, activity: Activity): void;
  /** Tells every client to send no new requests (GOAWAY), and closes its connection once its requests are answered. */
  drain(): void;
}

export function createHttp2(options: Http2Options): Http2 {
  const { timeouts } = options;
  const connections = new Set<Http2Connection>();

  const server = createServer({
    // If strict, nghttp2 drops a header whose value begins or ends with a blank, and accepts the request without it: a call
    // would run as if it had no Idempotency-Key. Otherwise it trims the value, as HTTP/1 does.
    strictFieldWhitespaceValidation: false,
    settings: { maxConcurrentStreams: CONCURRENT_STREAMS_MAX, maxHeaderListSize: HEADER_BYTES_MAX },
    // Clients are only told the header limits. The caller checks them, since it can answer, so this limit is looser.
    maxHeaderListPairs: 2 * HEADERS_MAX,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // Against rapid resets (CVE-2023-44487): a burst, then a rate per second. Beyond that the connection is closed.
    streamResetBurst: 1_000,
    streamResetRate: 100,
  });
  // The client may already have reset the stream, and answering it would throw.
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
    if (!isGone(response)) options.onMalformed(response, "The value of the Expect header is not supported.");
  });
  server.on("connect", (_request: Http2ServerRequest, response: Http2ServerResponse) => {
    if (!isGone(response)) options.onMalformed(response, "CONNECT is not supported.");
  });
  // A session error already closes its connection.
  server.on("sessionError", () => undefined);

  return {
    accept(socket, activity) {
      const register = (session: ServerHttp2Session) => {
        const connection = new Http2Connection(session, socket, activity, timeouts);
        connections.add(connection);
        socket.once("close", () => connections.delete(connection));
      };
      // The server creates the session synchronously, while it handles the event.
      server.once("session", register);
      server.emit("connection", socket);
      server.off("session", register);
    },
    drain() {
      for (const connection of connections) connection.end();
    },
  };
}

/** One connection. It is closed when it has had no request for too long; pings and other frames do not count. */
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
    // A half-closed peer cannot send WINDOW_UPDATE, so the connection is closed.
    socket.once("end", () => socket.destroy());
    socket.once("close", () => clearTimeout(this.#timer));
  }

  /** Sends GOAWAY. The session ends with its last stream; the peer then has a moment to close. */
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
 * Keeps reading the body of a request that was answered early, for as long as requests may take. A client that stops sending
 * for a moment is told to give up (RFC 9113 §8.1), since it occupies one of the connection's streams. Node would do that at
 * once if nobody had begun to read; proxies then lose the answer (https://github.com/haproxy/haproxy/issues/1219), and HAProxy
 * 2.6 sometimes the whole connection.
 */
function letUploadEnd(request: Http2ServerRequest): void {
  const { stream } = request;
  // Starts reading, up to the size of its buffer.
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

/** Cancels a request that does not arrive in time, or whose answer the client does not read. */
function watchStream(stream: ServerHttp2Stream, timeouts: Timeouts): void {
  const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
  // If data is waiting to be sent, the client has stalled. Otherwise the handler is still working.
  stream.setTimeout(timeouts.stalledMs, () => {
    if (stream.writableLength > 0) cancel();
  });
  if (stream.endAfterHeaders) return;

  const timer = setTimeout(() => {
    const hasArrived = stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
    // A bidirectional stream may last as long as its client likes.
    const isBeingAnswered = stream.headersSent && !stream.writableEnded;
    if (!hasArrived && !isBeingAnswered) cancel();
  }, timeouts.requestMs);
  stream.once("close", () => clearTimeout(timer));
}
