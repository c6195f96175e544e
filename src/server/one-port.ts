import { createServer as createNetServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { createHttp1 } from "./http1.ts";
import { createHttp2 } from "./http2.ts";
import { type Activity, IdleConnections, type IdleLimits } from "./idle-connections.ts";
import {
  hasExcessiveHeaders,
  hasUnknownMethod,
  hasUnknownTransferCoding,
  type NodeRequest,
  type NodeResponse,
  normalizeRequest,
} from "./normalize-request.ts";
import { sniffProtocol } from "./protocol-sniffer.ts";
import { REASONS_BY_STATUS, type RefusalContent, type RefusalStatus, refuseOnSocket } from "./refuse-on-socket.ts";
import { DEFAULT_TIMEOUTS, LINGER_MS, type Timeouts } from "./timeouts.ts";

export interface OnePortOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM. With it the port speaks TLS only; without it, HTTP in the clear only. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /**
   * Takes well-formed requests only: see `normalizeRequest`. If it throws, or returns a promise that rejects, that is
   * reported and answered with 500.
   */
  readonly onRequest: (request: NodeRequest, response: NodeResponse) => void;
  /** Answers a request that is not well-formed, with status 400; the reason is for the client. */
  readonly onMalformed: (response: NodeResponse, reason: string) => void;
  /** What a refusal says that is written straight to a connection (400, 408, 413, 431, 501), to a request with this `Origin`. */
  readonly malformedContent: (reason: string, origin: string | undefined) => RefusalContent;
  /** Told of what clients cannot cause. */
  readonly onError: (error: unknown) => void;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<ConnectionLimits>;
}

/** How many connections there may be. */
export interface ConnectionLimits extends Pick<IdleLimits, "maxIdle" | "maxIdlePerSource"> {
  /** More are closed as they come. */
  readonly maxConnections: number;
}

/** A connection that does nothing costs 3 to 20 KB, over TLS 90 KB. */
const DEFAULT_LIMITS: ConnectionLimits = { maxConnections: 20_000, maxIdle: 10_000, maxIdlePerSource: 1_000 };

export interface OnePort {
  /** What the port is bound to. */
  readonly address: { readonly host: string; readonly port: number };
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /**
   * Stops accepting, ends idle connections at once and the others when their requests are answered, after `graceMs` in
   * any case. Resolves when all are gone; false if some of them were cut off. Calling it again gives the same promise, and may
   * shorten the time.
   */
  close(graceMs: number): Promise<boolean>;
}

/**
 * Browsers come back over TLS only, for a year. Never without TLS (RFC 6797 §7.2): behind a proxy that ends TLS, the header is the
 * proxy's to send. Subdomains are other servers, which this one does not speak for.
 */
const STRICT_TRANSPORT = { "Strict-Transport-Security": "max-age=31536000" } as const;

/** The port cannot be bound; `cause` is Node's error, `code` what it has of one. */
export class PortError extends Error {
  override readonly name = "PortError";
  readonly code: string;

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  }
}

/** Dead peers show after this and a few unanswered probes of the operating system. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Opens one port for HTTP/1.1 and HTTP/2: in the clear told apart by their first bytes, over TLS by ALPN.
 * Nothing that a client sends, or fails to send, ends the process or keeps a connection for ever.
 *
 * Rejects with a `PortError` if the port cannot be bound, and with Node's error if the certificate cannot be used.
 */
export async function openOnePort(options: OnePortOptions): Promise<OnePort> {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const { maxConnections, ...idleLimits } = { ...DEFAULT_LIMITS, ...options.limits };
  // A little later than the protocols themselves, who end a connection in order: for what keeps them from it.
  const idleConnections = new IdleConnections({ ...idleLimits, maxIdleMs: timeouts.keepAliveMs + LINGER_MS });
  const sockets = new Set<Socket>();
  // TLS gives its sockets other objects than the connections below them; the peer's address tells which belong together.
  const handshakes = new Map<string, { readonly socket: Socket; readonly activity: Activity }>();
  const unrecognised = new Set<Socket>();
  let closing: Promise<boolean> | undefined;
  const transportHeaders = options.tls === undefined ? {} : STRICT_TRANSPORT;

  const onRequest = (request: NodeRequest, response: NodeResponse) => {
    watchErrors(request, response, options.onError);
    setHeaders(response, transportHeaders);
    const fault = normalizeRequest(request);
    if (hasExcessiveHeaders(request)) refuseWith(response, 431);
    else if (hasUnknownMethod(request)) refuseWith(response, 501);
    else if (hasUnknownTransferCoding(request))
      refuseWith(response, 501, "The only transfer coding that is known is chunked.");
    else if (fault !== undefined) refuse(response, fault);
    else handleSafely(options, request, response);
  };
  const refuseWith = (response: NodeResponse, status: RefusalStatus, reason: string = REASONS_BY_STATUS[status]) => {
    const { headers, body } = malformedContent(reason, response.req.headers.origin);
    response.statusCode = status;
    setHeaders(response, headers);
    response.end(body);
  };
  const malformedContent = (reason: string, origin: string | undefined): RefusalContent => {
    const { headers, body } = options.malformedContent(reason, origin);
    return { headers: { ...headers, ...transportHeaders }, body };
  };
  const refuse = (response: NodeResponse, reason: string) => {
    setHeaders(response, transportHeaders);
    // What follows such a request on the connection need not be what it seems.
    if (!("stream" in response)) response.setHeader("Connection", "close");
    try {
      options.onMalformed(response, reason);
    } catch (error) {
      options.onError(error);
      response.destroy();
    }
  };
  const http1 = createHttp1({ timeouts, onRequest, onMalformed: refuse, malformedContent });
  const http2 = createHttp2({ timeouts, onRequest, onMalformed: refuse });

  const speak = (socket: Socket) => {
    const activity = handshakes.get(peerOf(socket))?.activity;
    handshakes.delete(peerOf(socket));
    // An error without a listener would end the process. What it means for requests, they learn from the "close".
    socket.on("error", () => undefined);
    if (closing !== undefined || activity === undefined) {
      socket.destroy();
    } else if (socket instanceof TLSSocket) {
      if (socket.alpnProtocol === "h2") http2.accept(socket, activity);
      else http1.accept(socket, activity);
    } else {
      unrecognised.add(socket);
      socket.once("close", () => unrecognised.delete(socket));
      sniffProtocol(socket, timeouts.firstByteMs, (protocol) => {
        unrecognised.delete(socket);
        if (protocol === "http2") http2.accept(socket, activity);
        else http1.accept(socket, activity);
      });
    }
  };
  const refuseHandshake = (error: NodeJS.ErrnoException, secure: TLSSocket) => {
    const socket = handshakes.get(peerOf(secure))?.socket;
    // A client without TLS, which understands an answer without TLS.
    if (error.code === "ERR_SSL_HTTP_REQUEST" && socket !== undefined) {
      refuseOnSocket(socket, 400, options.malformedContent("This port speaks TLS: use https.", undefined));
    } else secure.destroy();
  };
  const listener = createListener(options, timeouts, speak, refuseHandshake);
  // In front of `speak`, which is a listener of the same event where there is no TLS.
  listener.prependListener("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    const activity = idleConnections.add(socket.remoteAddress, () => socket.destroy());
    sockets.add(socket);
    handshakes.set(peer, { socket, activity });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      sockets.delete(socket);
      activity.closed();
      if (handshakes.get(peer)?.socket === socket) handshakes.delete(peer);
    });
  });
  listener.maxConnections = maxConnections;
  const address = await listen(listener, options);
  listener.on("error", options.onError);

  const timers = new Set<NodeJS.Timeout>();
  const close = async () => {
    const gone = new Promise((resolve) => listener.close(resolve));
    for (const { socket } of handshakes.values()) socket.destroy();
    for (const socket of unrecognised) socket.destroy();
    http1.drain();
    http2.drain();
    await gone;
    for (const timer of timers) clearTimeout(timer);
    http1.dispose();
    idleConnections.dispose();
    return !isCutOff;
  };
  let isCutOff = false;
  const destroyAll = () => {
    isCutOff ||= sockets.size > 0;
    for (const socket of sockets) socket.destroy();
  };
  return {
    address,
    url: urlOf(address, options.tls !== undefined),
    close(graceMs) {
      timers.add(setTimeout(destroyAll, graceMs).unref());
      closing ??= close();
      return closing;
    },
  };
}

function createListener(
  options: OnePortOptions,
  timeouts: Timeouts,
  speak: (socket: Socket) => void,
  refuseHandshake: (error: NodeJS.ErrnoException, socket: TLSSocket) => void,
): Server {
  // As Node's own HTTP servers have it: the protocol decides what the end of the input means.
  const halfOpen = { allowHalfOpen: true };
  const socketOptions = { ...halfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (options.tls === undefined) return createNetServer(socketOptions, speak);
  const server = createTlsServer(
    {
      ...socketOptions,
      ...options.tls,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: timeouts.firstByteMs,
    },
    speak,
  );
  server.on("tlsClientError", refuseHandshake);
  return server;
}

function listen(listener: Server, options: OnePortOptions): Promise<OnePort["address"]> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new PortError(cause));
    listener.once("error", fail);
    listener.listen(options.port, options.host, () => {
      listener.off("error", fail);
      const address = listener.address();
      if (typeof address === "object" && address !== null) resolve({ host: address.address, port: address.port });
      else reject(new Error("a port was asked for, and the server listens on something else"));
    });
  });
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function urlOf(address: OnePort["address"], isEncrypted: boolean): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${isEncrypted ? "https" : "http"}://${host}:${address.port}`;
}

function setHeaders(response: NodeResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function watchErrors(request: NodeRequest, response: NodeResponse, onError: (error: unknown) => void): void {
  // The unions have no common signature of `on`; both are event emitters.
  const incoming: NodeJS.EventEmitter = request;
  const outgoing: NodeJS.EventEmitter = response;
  // A client that leaves in the midst of its request; whoever reads the body learns of it.
  incoming.on("error", () => undefined);
  outgoing.on("error", onError);
}

function handleSafely(options: OnePortOptions, request: NodeRequest, response: NodeResponse): void {
  const fail = (error: unknown) => {
    options.onError(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.statusCode = 500;
    response.end();
  };
  try {
    // A handler may well be asynchronous, whatever its type says.
    const result: unknown = options.onRequest(request, response);
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}
