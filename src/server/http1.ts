import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import { Socket } from "node:net";
import { discardBody } from "./discard-body.ts";
import type { Activity } from "./idle-connections.ts";
import { HEADER_BYTES_MAX } from "./normalize-request.ts";
import {
  originOf,
  type ParserError,
  REASONS_BY_STATUS,
  type RefusalContent,
  type RefusalStatus,
  refuseOnSocket,
  statusOfParserError,
} from "./refuse-on-socket.ts";
import { LINGER_MS, type Timeouts } from "./timeouts.ts";

/** Requests of one connection that are handled at the same time. Others that the client has sent ahead wait, and no more are read. */
const HANDLED_MAX = 100;

/**
 * Requests that wait, of all connections: what was read at once is parsed at once, some thousands of them. Beyond that the connection
 * with most is ended.
 */
const WAITING_MAX = 10_000;

/** What is read of a body whose request has been answered, so that the connection can be used again. */
const DISCARDED_BYTES_MAX = 256 * 1024;

export interface Http1Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** A parsed request that must not be handled, whatever it says. */
  readonly onMalformed: (response: ServerResponse, reason: string) => void;
  /** What an answer says to what could not be parsed. */
  readonly malformedContent: (reason: string, origin: string | undefined) => RefusalContent;
}

/** Speaks HTTP/1.1 on connections that somebody else accepted. */
export interface Http1 {
  accept(socket: Socket, activity: Activity): void;
  /** Ends every connection as soon as its requests are answered, those without one at once. */
  drain(): void;
  /** To be called when all connections are gone. */
  dispose(): void;
}

export function createHttp1(options: Http1Options): Http1 {
  const { timeouts } = options;
  const connections = new Map<Socket, Connection>();
  /** Nothing more is answered on these. */
  const ended = new WeakSet<Socket>();
  let draining = false;
  let waitingCount = 0;

  const server = createServer<typeof IncomingMessage, typeof Response>({
    ServerResponse: Response,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.ceil(Math.min(4_000, timeouts.headersMs, timeouts.requestMs) / 4),
    maxHeaderSize: HEADER_BYTES_MAX,
    // Checked by the caller, who answers with a body.
    requireHostHeader: false,
  });
  // Node would silently drop the rest; the caller refuses the request.
  server.maxHeadersCount = 0;
  server.timeout = timeouts.stalledMs;
  // A client that ends its side when it has asked is answered. In the types of Node it is missing.
  Object.assign(server, { httpAllowHalfOpen: true });

  const receive = (request: IncomingMessage, response: ServerResponse, handle: () => void): void => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined || ended.has(socket)) {
      socket.destroy();
      return;
    }
    const { responses, waiting, activity } = connection;
    connection.request = request;
    activity.busy();
    responses.add(response);
    if (draining) response.setHeader("Connection", "close");
    response.once("finish", () => {
      // A request that was destroyed does not read its connection any more.
      if (request.destroyed && !request.complete) socket.destroy();
      else if (!request.complete) discardBody(request);
    });
    response.once("close", () => {
      responses.delete(response);
      // Not at once: other connections have their turn in between.
      if (waiting.length > 0) setImmediate(handleNext, socket, connection);
      if (responses.size === 0 && socket.writable) connection.refuse?.();
      if (responses.size === 0) activity.idle(() => (request.complete ? socket.destroySoon() : socket.destroy()));
      // It may have promised to keep the connection before the draining began.
      if (draining && responses.size === 0) socket.destroySoon();
    });
    if (waiting.length === 0 && responses.size <= HANDLED_MAX) handle();
    else hold(socket, connection, handle);
  };
  function hold(socket: Socket, { waiting }: Connection, handle: () => void): void {
    waiting.push(handle);
    waitingCount += 1;
    socket.pause();
    if (waitingCount > WAITING_MAX) {
      const [most, itsConnection] = [...connections].reduce((left, right) =>
        right[1].waiting.length > left[1].waiting.length ? right : left,
      );
      most.destroy();
      forget(itsConnection);
    }
  }
  function forget({ waiting }: Connection): void {
    waitingCount -= waiting.splice(0).length;
  }
  function handleNext(socket: Socket, connection: Connection): void {
    // What cannot be answered any more is not begun.
    const handle = socket.writable ? connection.waiting.shift() : undefined;
    if (handle === undefined) return;
    waitingCount -= 1;
    if (connection.waiting.length === 0) socket.resume();
    handle();
  }
  server.on("request", (request, response) => {
    receive(request, response, () => options.onRequest(request, response));
  });
  server.on("checkContinue", (request, response) => {
    receive(request, response, () => {
      response.writeContinue();
      options.onRequest(request, response);
    });
  });
  server.on("checkExpectation", (request, response) => {
    receive(request, response, () =>
      options.onMalformed(response, "The Expect header asks for what is not supported."),
    );
  });
  // Without a listener for "upgrade", Node ignores the header, as RFC 9110 §7.8 allows.
  server.on("connect", (request) => {
    if (request.socket instanceof Socket) refuse(request.socket, 400, "CONNECT is not supported.", undefined);
  });

  server.on("clientError", (error: ParserError, socket) => {
    if (!(socket instanceof Socket)) return;
    if (ended.has(socket)) return;
    const status = statusOfParserError(error);
    const connection = connections.get(socket);
    const responses = [...(connection?.responses ?? [])];
    const isBetweenRequests = connection?.request?.complete ?? true;
    // An answer in the midst of another one would be taken for a part of it, and one to an answered request for the next one's.
    const isAnswer = responses.length === 1 && responses[0]?.headersSent === false;
    if (status === undefined || !(isBetweenRequests || isAnswer)) {
      socket.destroy();
      return;
    }
    const origin = (isBetweenRequests ? undefined : responses[0]?.req.headers.origin) ?? originOf(error);
    const refuseNow = () => refuse(socket, status, REASONS_BY_STATUS[status], origin);
    if (isBetweenRequests && connection !== undefined && responses.length > 0) {
      ended.add(socket);
      connection.refuse = refuseNow;
    } else {
      refuseNow();
    }
  });
  function refuse(socket: Socket, status: RefusalStatus, reason: string, origin: string | undefined): void {
    ended.add(socket);
    refuseOnSocket(socket, status, options.malformedContent(reason, origin));
  }

  /**
   * Ends our side of a connection, and reads on until the client has sent all of its body: who is cut off while sending may
   * never see the answer (RFC 9112 §9.6).
   */
  function linger(socket: Socket, request: IncomingMessage): void {
    ended.add(socket);
    socket.end();
    request.once("end", () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), draining ? LINGER_MS : timeouts.requestMs);
    socket.once("close", () => clearTimeout(timer));
  }

  server.on("timeout", (socket) => {
    // Neither is the case while a handler takes its time, or streams with long pauses.
    const isIdle = (connections.get(socket)?.responses.size ?? 0) === 0;
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
  // Node starts its checks of the time-outs above only in a server that listens; this one never does.
  server.emit("listening");

  return {
    accept(socket, activity) {
      const responses = new Set<ServerResponse>();
      const connection: Connection = { responses, waiting: [], activity, request: undefined, refuse: undefined };
      connections.set(socket, connection);
      socket.once("close", () => {
        connections.delete(socket);
        forget(connection);
      });
      // A stream has no end that would have to be waited for: more likely its client has left.
      socket.once("end", () => {
        for (const { headersSent, writableEnded } of connection.responses) {
          if (headersSent && !writableEnded) socket.destroy();
        }
      });
      // Node calls it after the last answer, also if the client is still sending.
      const destroySoon = socket.destroySoon.bind(socket);
      socket.destroySoon = () => {
        const { request } = connection;
        if (request === undefined || request.complete || request.destroyed) destroySoon();
        else linger(socket, request);
      };
      server.emit("connection", socket);
      // Whoever reads a body has the connection read on. Node's own listener comes first, and has begun by now.
      socket.on("resume", () => {
        if (connection.waiting.length > 0) socket.pause();
      });
    },
    drain() {
      draining = true;
      for (const [socket, { responses }] of connections) {
        if (responses.size === 0) socket.destroySoon();
        for (const response of responses) if (!response.headersSent) response.setHeader("Connection", "close");
      }
    },
    dispose() {
      server.close();
    },
  };
}

interface Connection {
  /** Of all its requests that are not answered yet. */
  readonly responses: Set<ServerResponse>;
  /** What handles the latest of them, when it is their turn. */
  readonly waiting: (() => void)[];
  readonly activity: Activity;
  /** The latest one: only of that one there can be more to come. */
  request: IncomingMessage | undefined;
  /** Refuses what came behind the requests that are being answered, when they have been. */
  refuse: (() => void) | undefined;
}

type HeadersToWrite = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Ends the connection with an answer that comes before the end of a body that may be long: the next request is behind it, and
 * an answered body must be read, or the connection closed (RFC 9112 §9.3).
 */
class Response<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  override writeHead(statusCode: number, statusMessage?: string, headers?: HeadersToWrite): this;
  override writeHead(statusCode: number, headers?: HeadersToWrite): this;
  override writeHead(statusCode: number, second?: string | HeadersToWrite, headers?: HeadersToWrite): this {
    if (!this.req.complete && mayBeLong(this.req)) this.shouldKeepAlive = false;
    return typeof second === "string"
      ? super.writeHead(statusCode, second, headers)
      : super.writeHead(statusCode, second);
  }
}

function mayBeLong({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > DISCARDED_BYTES_MAX;
}
