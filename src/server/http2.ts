import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { discardBody } from "./discard-body.ts";
import { Http2Request } from "./http2-request.ts";
import { Http2Response } from "./http2-response.ts";
import type { Activity } from "./idle-connections.ts";
import { HEADER_BYTES_MAX, HEADERS_MAX } from "./normalize-request.ts";
import { StreamTimeouts } from "./stream-timeouts.ts";
import { LINGER_MS, type Timeouts } from "./timeouts.ts";

/** How many requests a client may have in progress on one connection. */
const CONCURRENT_STREAMS_MAX = 100;

export interface Http2Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: Http2Request, response: Http2Response) => void;
  /** Answers a request that was parsed but must not be handled. */
  readonly onMalformed: (response: Http2Response, reason: string) => void;
}

/** Serves HTTP/2 on connections that the port accepted. */
export interface Http2 {
  accept(socket: Socket, activity: Activity): void;
  /** Tells every client to send no new requests (GOAWAY), and closes its connection once its requests are answered. */
  drain(): void;
}

export function createHttp2(options: Http2Options): Http2 {
  const { timeouts } = options;
  const streamTimeouts = new StreamTimeouts(timeouts);
  const connections = new Set<Http2Connection>();
  let draining = false;

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
  // A session error already closes its connection.
  server.on("sessionError", () => undefined);

  return {
    accept(socket, activity) {
      const register = (session: ServerHttp2Session) => {
        const connection = new Http2Connection(session, socket, activity, { ...options, streamTimeouts });
        connections.add(connection);
        // Its first requests have come with its first bytes.
        if (draining) setImmediate(() => connection.end());
        socket.once("close", () => connections.delete(connection));
      };
      // The server creates the session synchronously, while it handles the event.
      server.once("session", register);
      server.emit("connection", socket);
      server.off("session", register);
    },
    drain() {
      draining = true;
      for (const connection of connections) connection.end();
    },
  };
}

interface ConnectionOptions extends Http2Options {
  readonly streamTimeouts: StreamTimeouts;
}

/** One connection. It is closed when it has had no request for too long; pings and other frames do not count. */
class Http2Connection {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #activity: Activity;
  readonly #options: ConnectionOptions;
  #openStreams = 0;
  #timer: NodeJS.Timeout;

  constructor(session: ServerHttp2Session, socket: Socket, activity: Activity, options: ConnectionOptions) {
    this.#session = session;
    this.#socket = socket;
    this.#activity = activity;
    this.#options = options;
    this.#timer = setTimeout(() => socket.destroy(), options.timeouts.headersMs);
    session.once("remoteSettings", () => this.#waitForStream());
    session.on("stream", (stream, headers, _flags, rawHeaders) => {
      this.#open(stream);
      // The client may already have reset the stream, and answering it would throw.
      if (!stream.destroyed && !stream.closed)
        this.#begin(new Http2Request(stream, socket, headers, rawHeaders), headers);
    });
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

  #begin(request: Http2Request, { expect }: IncomingHttpHeaders): void {
    const { onRequest, onMalformed } = this.#options;
    const { stream } = request;
    const response = new Http2Response(request);
    // Node would wait for a reader of a body that there is not.
    if (stream.endAfterHeaders) stream.resume();
    else stream.once("finish", letUploadEnd);
    if (request.method === "CONNECT") {
      onMalformed(response, "CONNECT is not supported.");
    } else if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
      onMalformed(response, "The value of the Expect header is not supported.");
    } else {
      if (expect !== undefined) stream.additionalHeaders({ ":status": constants.HTTP_STATUS_CONTINUE });
      onRequest(request, response);
    }
  }

  #open(stream: ServerHttp2Stream): void {
    this.#openStreams += 1;
    if (this.#openStreams === 1) {
      this.#activity.busy();
      clearTimeout(this.#timer);
    }
    // The client left during its request. The reader of the body gets the error.
    stream.on("error", ignoreError);
    const forget = this.#options.streamTimeouts.watch(stream);
    stream.on("close", () => {
      forget();
      this.#openStreams -= 1;
      if (this.#openStreams > 0) return;
      if (this.#session.closed) this.end();
      else this.#waitForStream();
    });
  }

  #waitForStream(): void {
    if (this.#openStreams > 0) return;
    this.#activity.idle(() => this.end());
    this.#after(this.#options.timeouts.keepAliveMs, () => this.end());
  }

  #after(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(act, delayMs);
  }
}

const ignoreError = () => undefined;

/**
 * Keeps reading the body of a request that was answered early, for as long as requests may take. A client that stops sending
 * for a moment is told to give up (RFC 9113 §8.1), since it occupies one of the connection's streams. Node would do that at
 * once if nobody had begun to read; proxies then lose the answer (https://github.com/haproxy/haproxy/issues/1219), and HAProxy
 * 2.6 sometimes the whole connection.
 */
function letUploadEnd(this: ServerHttp2Stream): void {
  if (this.readableEnded || this.destroyed) return;
  discardBody(this);
  const timer = setTimeout(() => this.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
  this.on("data", () => {
    if (this.session?.closed === false) timer.refresh();
  });
  this.once("close", () => clearTimeout(timer));
}
