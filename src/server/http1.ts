import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { discardBody } from "./discard-body.ts";
import { Http1Response } from "./http1-response.ts";
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

/** How many requests of one connection are handled at once. Further pipelined requests wait, and reading pauses. */
const HANDLED_MAX = 100;

/**
 * How many requests of all connections may wait: one read can contain thousands. Beyond that, the connection with the most is
 * closed.
 */
const WAITING_MAX = 10_000;

export interface Http1Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers a request that was parsed but must not be handled. */
  readonly onMalformed: (response: ServerResponse, reason: string) => void;
  /** The content of an answer to a request that could not be parsed. */
  readonly malformedContent: (reason: string, origin: string | undefined) => RefusalContent;
}

/** Serves HTTP/1.1 on connections that the port accepted. */
export interface Http1 {
  accept(socket: Socket, activity: Activity): void;
  /** Serves on, and has every connection end with the last answer to what it has sent. */
  drain(): void;
  /** Closes idle connections now, and those that have sent no request, or a part of one, in a moment unless the rest arrives. Call `drain` before. */
  close(): void;
  /** Call it when all connections are closed. */
  dispose(): void;
}

export function createHttp1(options: Http1Options): Http1 {
  const { timeouts } = options;
  const connections = new Map<Socket, Connection>();
  /** Sockets that get no further answer. */
  const ended = new WeakSet<Socket>();
  let draining = false;
  let closing = false;
  let waitingCount = 0;

  const server = createServer<typeof IncomingMessage, typeof Http1Response>({
    ServerResponse: Http1Response,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.ceil(Math.min(4_000, timeouts.headersMs, timeouts.requestMs) / 4),
    maxHeaderSize: HEADER_BYTES_MAX,
    // The caller checks it, and answers with a body.
    requireHostHeader: false,
    // A request whose headers tell of no body is no stream that has to be ended: a third of what Node takes for one.
    optimizeEmptyRequests: true,
  });
  // With a limit, Node would silently drop further headers. The caller refuses the request instead.
  server.maxHeadersCount = 0;
  server.timeout = timeouts.stalledMs;
  // A client that half-closes after its request gets its answer. The option is missing in Node's types.
  Object.assign(server, { httpAllowHalfOpen: true });

  type Handle = (request: IncomingMessage, response: ServerResponse) => void;
  const receive = (request: IncomingMessage, response: Http1Response, handle: Handle): void => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined || ended.has(socket)) {
      socket.destroy();
      return;
    }
    const { responses, waiting, activity } = connection;
    connection.request = request;
    const previous = responses.at(-1);
    if (!socket.writable || (previous?.headersSent && !previous.shouldKeepAlive)) {
      // It comes behind the answer that ends the connection, which says that nothing behind it is carried out.
      request.on("error", () => undefined);
      discardBody(request);
      return;
    }
    activity.busy();
    responses.push(response);
    if (draining) response.drained = responses;
    response.on("finish", onFinish);
    response.on("close", connection.onClose);
    if (responses.length - waiting.length <= HANDLED_MAX) handle(request, response);
    else hold(socket, connection, () => handle(request, response));
  };
  function onFinish(this: ServerResponse): void {
    const { req: request } = this;
    if (request.complete) return;
    // A destroyed request does not read from its connection any more.
    if (request.destroyed) request.socket.destroy();
    else discardBody(request);
  }
  /** What happens when a response of a connection has closed. */
  function closingOf(socket: Socket, responses: Http1Response[]): (this: ServerResponse) => void {
    const end = () => (connections.get(socket)?.request?.complete === false ? socket.destroy() : socket.destroySoon());
    return function onClose() {
      remove(responses, this);
      const connection = connections.get(socket);
      if (connection !== undefined) handleNext(socket, connection);
      if (responses.length > 0) return;
      if (socket.writable) connection?.refuse?.();
      connection?.activity.idle(end);
      if (connection !== undefined) connection.bytesWhenIdle = socket.bytesRead;
      // The answer may have promised keep-alive before draining began.
      if (closing) socket.destroySoon();
    };
  }
  function closeIdle(socket: Socket, { responses, request, bytesWhenIdle }: Connection): void {
    if (responses.length > 0) return;
    if (request !== undefined && (!request.complete || socket.bytesRead === bytesWhenIdle)) {
      socket.destroySoon();
      return;
    }
    const timer = setTimeout(() => {
      if (responses.length === 0) socket.destroySoon();
    }, LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  }
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
    // A request that cannot be answered any more is not started.
    const handle = socket.writable ? connection.waiting.shift() : undefined;
    if (handle === undefined) return;
    waitingCount -= 1;
    if (connection.waiting.length === 0) socket.resume();
    handle();
  }
  server.on("request", (request, response) => {
    receive(request, response, options.onRequest);
  });
  server.on("checkContinue", (request, response) => {
    receive(request, response, continueRequest);
  });
  const continueRequest: Handle = (request, response) => {
    response.writeContinue();
    options.onRequest(request, response);
  };
  server.on("checkExpectation", (request, response) => {
    receive(request, response, refuseExpectation);
  });
  const refuseExpectation: Handle = (_request, response) => {
    options.onMalformed(response, "The value of the Expect header is not supported.");
  };
  // There is no listener for "upgrade": Node then ignores the header, as RFC 9110 §7.8 allows.
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
    // An answer written inside another one would be read as a part of it. One to an answered request would be read as the next
    // request's.
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
   * Half-closes a connection and keeps reading until the client has sent its whole body: a client that is cut off while sending
   * may never see the answer (RFC 9112 §9.6).
   */
  function linger(socket: Socket, request: IncomingMessage): void {
    ended.add(socket);
    socket.end();
    request.once("end", () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), closing ? LINGER_MS : timeouts.requestMs);
    socket.once("close", () => clearTimeout(timer));
  }

  server.on("timeout", (socket) => {
    // Neither is true while a handler works, or streams with long pauses.
    const isIdle = (connections.get(socket)?.responses.length ?? 0) === 0;
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
  // Node only checks the timeouts above in a listening server. This one never listens.
  server.emit("listening");

  return {
    accept(socket, activity) {
      const responses: Http1Response[] = [];
      const onClose = closingOf(socket, responses);
      const connection: Connection = {
        responses,
        waiting: [],
        activity,
        onClose,
        request: undefined,
        bytesWhenIdle: 0,
        refuse: undefined,
      };
      connections.set(socket, connection);
      socket.once("close", () => {
        connections.delete(socket);
        forget(connection);
      });
      // A stream need not end by itself: a client that half-closes has most likely left.
      socket.once("end", () => {
        for (const { headersSent, writableEnded } of connection.responses) {
          if (headersSent && !writableEnded) socket.destroy();
        }
      });
      // Node calls it after the last answer, even while the client is still sending.
      const destroySoon = socket.destroySoon.bind(socket);
      socket.destroySoon = () => {
        const { request } = connection;
        if (request === undefined || request.complete || request.destroyed) destroySoon();
        else linger(socket, request);
      };
      server.emit("connection", socket);
      // Reading a body resumes the socket, also while requests wait. Node's own listener runs first.
      socket.on("resume", () => {
        if (connection.waiting.length > 0) socket.pause();
      });
      if (closing) closeIdle(socket, connection);
    },
    drain() {
      draining = true;
      for (const { responses } of connections.values()) {
        for (const response of responses) response.drained = responses;
      }
    },
    close() {
      closing = true;
      for (const [socket, connection] of connections) closeIdle(socket, connection);
    },
    dispose() {
      server.close();
    },
  };
}

interface Connection {
  /** The responses of all requests that are not answered yet, in their order. */
  readonly responses: Http1Response[];
  /** The handlers of the latest requests, which wait for their turn. */
  readonly waiting: (() => void)[];
  readonly activity: Activity;
  readonly onClose: (this: ServerResponse) => void;
  /** The latest request: only its body can still be incomplete. */
  request: IncomingMessage | undefined;
  /**
   * How much had been read when its last answer ended: more is the beginning of another request. What had come before, behind the
   * answered request, is not told apart from it.
   */
  bytesWhenIdle: number;
  /** Refuses malformed input that followed the requests in progress, once those are answered. */
  refuse: (() => void) | undefined;
}

function remove(responses: ServerResponse[], response: ServerResponse): void {
  if (responses[0] === response) {
    responses.shift();
    return;
  }
  const at = responses.indexOf(response);
  if (at > 0) responses.splice(at, 1);
}
