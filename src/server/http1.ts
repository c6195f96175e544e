import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Activity } from "./idle-connections.ts";
import {
  REASONS_BY_STATUS,
  type RefusalContent,
  type RefusalStatus,
  refuseOnSocket,
  statusOfParserError,
} from "./raw-refusal.ts";
import { HEADER_BYTES_MAX } from "./request-gate.ts";
import type { Timeouts } from "./timeouts.ts";

/** Requests that a client may send ahead without waiting for answers. */
const PIPELINED_MAX = 100;

export interface Http1Options {
  readonly timeouts: Timeouts;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** A parsed request that must not be handled, whatever it says. */
  readonly onMalformed: (response: ServerResponse, reason: string) => void;
  /** What an answer says to what could not be parsed. */
  readonly malformedContent: (reason: string) => RefusalContent;
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
  const unanswered = new Map<Socket, { readonly responses: Set<ServerResponse>; readonly activity: Activity }>();
  const refused = new WeakSet<Socket>();
  let draining = false;

  const server = createServer({
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

  const begin = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { socket } = request;
    const connection = unanswered.get(socket);
    if (connection === undefined || connection.responses.size >= PIPELINED_MAX || refused.has(socket)) {
      socket.destroy();
      return false;
    }
    const { responses, activity } = connection;
    activity.busy();
    responses.add(response);
    if (draining) response.setHeader("Connection", "close");
    response.once("close", () => {
      responses.delete(response);
      if (responses.size === 0) activity.idle(() => socket.destroySoon());
      // It may have promised to keep the connection before the draining began.
      if (draining && responses.size === 0) socket.destroySoon();
    });
    return true;
  };
  server.on("request", (request, response) => {
    if (begin(request, response)) options.onRequest(request, response);
  });
  server.on("checkContinue", (request, response) => {
    if (!begin(request, response)) return;
    response.writeContinue();
    options.onRequest(request, response);
  });
  server.on("checkExpectation", (request, response) => {
    if (begin(request, response)) options.onMalformed(response, "The Expect header asks for what is not supported.");
  });
  // Without a listener for "upgrade", Node ignores the header, as RFC 9110 §7.8 allows.
  server.on("connect", (request) => {
    if (request.socket instanceof Socket) refuse(request.socket, 400, "CONNECT is not supported.");
  });

  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!(socket instanceof Socket)) return;
    if (refused.has(socket)) return;
    const status = statusOfParserError(error);
    const responses = [...(unanswered.get(socket)?.responses ?? [])];
    // An answer in the midst of another one would be taken for a part of it.
    const isFree = responses.length === 0 || (responses.length === 1 && responses[0]?.headersSent === false);
    if (status === undefined || !isFree) socket.destroy();
    else refuse(socket, status, REASONS_BY_STATUS[status]);
  });
  function refuse(socket: Socket, status: RefusalStatus, reason: string): void {
    refused.add(socket);
    refuseOnSocket(socket, status, options.malformedContent(reason));
  }

  server.on("timeout", (socket) => {
    // Neither is the case while a handler takes its time, or streams with long pauses.
    const isIdle = (unanswered.get(socket)?.responses.size ?? 0) === 0;
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
  // Node starts its checks of the time-outs above only in a server that listens; this one never does.
  server.emit("listening");

  return {
    accept(socket, activity) {
      unanswered.set(socket, { responses: new Set(), activity });
      socket.once("close", () => unanswered.delete(socket));
      server.emit("connection", socket);
    },
    drain() {
      draining = true;
      for (const [socket, { responses }] of unanswered) {
        if (responses.size === 0) socket.destroySoon();
        for (const response of responses) if (!response.headersSent) response.setHeader("Connection", "close");
      }
    },
    dispose() {
      server.close();
    },
  };
}
