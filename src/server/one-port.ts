import { createServer as createNetServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, Server as TlsServer } from "node:tls";
import type { PortCertificate } from "./certificate-source.ts";
import { createHttp1 } from "./http1.ts";
import { createHttp2 } from "./http2.ts";
import { type Activity, IdleConnections, type IdleLimits } from "./idle-connections.ts";
import { untilNoneWaits } from "./none-waits.ts";
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
  /** 0: any free port. */
  readonly port: number;
  /** PEM. With it the port speaks TLS only; without it, HTTP in the clear only. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ticketKeys?: Buffer };
  /**
   * Handles well-formed requests (see `normalizeRequest`). If it throws, or returns a promise that rejects, the error is
   * reported and answered with 500.
   */
  readonly onRequest: (request: NodeRequest, response: NodeResponse) => void;
  /** Answers a request that is not well-formed, with status 400; the reason is for the client. */
  readonly onMalformed: (response: NodeResponse, reason: string) => void;
  /**
   * The content of a refusal that is written directly to a socket (400, 408, 413, 431, 501). `origin` is the request's `Origin`
   * header.
   */
  readonly malformedContent: (reason: string, origin: string | undefined) => RefusalContent;
  /** Called with errors that no client input can cause. */
  readonly onError: (error: unknown) => void;
  /** Has the port, and hands over the connections that it accepts. Resolves when the port is open. Default: nobody else has it. */
  readonly acceptElsewhere?: ((accept: (socket: Socket) => void) => Promise<PortAddress>) | undefined;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<ConnectionLimits>;
}

/** Limits of the connections. */
export interface ConnectionLimits extends Pick<IdleLimits, "maxIdle" | "maxIdlePerSource"> {
  /** Further connections are closed at once. */
  readonly maxConnections: number;
}

/** An idle connection costs 3 to 20 KB, over TLS 90 KB. */
const DEFAULT_LIMITS: ConnectionLimits = { maxConnections: 20_000, maxIdle: 10_000, maxIdlePerSource: 1_000 };

export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

export interface OnePort {
  /** The address that the port is bound to. */
  readonly address: PortAddress;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** New connections get this certificate; those that are open keep theirs. Does nothing without TLS. */
  useCertificate(certificate: PortCertificate): void;
  /**
   * Has every answer over HTTP/1.1 end its connection, and goes on serving: clients that keep connections are on new ones by the time of
   * `close`, and send nothing on one that it ends. HTTP/2 needs none of that, since `close` refuses the requests that come too late.
   */
  drain(): void;
  /**
   * Stops accepting. Closes idle connections at once, new ones without a request after a moment, and the others when their requests are
   * answered, but after `graceMs` in any case. Resolves when all are closed: false if some were cut off. A second call returns the same promise and may shorten
   * the time.
   */
  close(graceMs: number): Promise<boolean>;
}

/**
 * For a year, browsers only come back over TLS. Not sent without TLS (RFC 6797 §7.2): a proxy that ends TLS has to send it.
 * Subdomains are not included: they may be other servers.
 */
const STRICT_TRANSPORT = { "Strict-Transport-Security": "max-age=31536000" } as const;

/** The port cannot be bound. `cause` is Node's error, `code` its code. */
export class PortError extends Error {
  override readonly name = "PortError";
  readonly code: string;

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  }
}

/** Dead peers are noticed after this time and a few unanswered probes of the operating system. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Opens one port for HTTP/1.1 and HTTP/2, told apart by ALPN over TLS and by their first bytes without it. Nothing that a
 * client sends, or fails to send, ends the process or keeps a connection open for ever.
 *
 * Rejects with a `PortError` if the port cannot be bound, and with Node's error if the certificate cannot be used.
 */
export async function openOnePort(options: OnePortOptions): Promise<OnePort> {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const { maxConnections, ...idleLimits } = { ...DEFAULT_LIMITS, ...options.limits };
  // Slightly later than the protocols' own timeouts, which close connections in order. This one catches the rest.
  const idleConnections = new IdleConnections({ ...idleLimits, maxIdleMs: timeouts.keepAliveMs + LINGER_MS });
  const sockets = new Set<Socket>();
  // A TLS socket and its TCP socket are different objects. The peer's address and port tell which belong together.
  const handshakes = new Map<string, { readonly socket: Socket; readonly activity: Activity }>();
  const unrecognised = new Set<Socket>();
  let closing: Promise<boolean> | undefined;
  /** How many connections were accepted. */
  let accepted = 0;
  /** No further connection is accepted. */
  let isShut = false;
  const transportHeaders = options.tls === undefined ? {} : STRICT_TRANSPORT;
  const ignoreError = () => undefined;

  const onRequest = (request: NodeRequest, response: NodeResponse) => {
    if (!("stream" in request)) {
      // The client left during its request. The reader of the body gets the error.
      request.on("error", ignoreError);
    }
    if (!("stream" in response)) {
      response.on("error", options.onError);
    }
    setHeaders(response, transportHeaders);
    const fault = normalizeRequest(request);
    if (hasExcessiveHeaders(request)) refuseWith(response, 431);
    else if (hasUnknownMethod(request)) refuseWith(response, 501);
    else if (hasUnknownTransferCoding(request))
      refuseWith(response, 501, "The only supported transfer coding is chunked.");
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
    // Data that follows such a request on the connection cannot be trusted.
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
    // An error without a listener would end the process. Requests learn of it by "close".
    socket.on("error", () => undefined);
    if (activity === undefined) {
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
    // The client speaks plain HTTP, so it understands a plain answer.
    if (error.code === "ERR_SSL_HTTP_REQUEST" && socket !== undefined) {
      refuseOnSocket(socket, 400, options.malformedContent("This port speaks TLS: use https.", undefined));
    } else secure.destroy();
  };
  const listener = createListener(options, timeouts, speak, refuseHandshake);
  // Before `speak`, which listens to the same event if there is no TLS.
  listener.prependListener("connection", (socket: Socket) => {
    accepted += 1;
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
  const address =
    options.acceptElsewhere === undefined
      ? await listen(listener, options)
      : await options.acceptElsewhere((socket) => {
          // What the listener sees to, where it accepts the connections itself.
          if (isShut || sockets.size >= maxConnections) socket.destroy();
          else listener.emit("connection", Object.assign(socket, { allowHalfOpen: true }));
        });
  listener.on("error", options.onError);

  const timers = new Set<NodeJS.Timeout>();
  const close = async () => {
    http1.drain();
    http2.drain();
    await untilNoneWaits(() => accepted, LINGER_MS);
    isShut = true;
    // A listener that has not accepted the connections does not wait for them.
    const gone =
      options.acceptElsewhere === undefined
        ? new Promise((resolve) => listener.close(resolve))
        : Promise.all(Array.from(sockets, (socket) => new Promise((resolve) => socket.once("close", resolve))));
    http1.close();
    // Their request may be on its way, or be here and not yet read.
    const silent = setTimeout(() => {
      for (const { socket } of handshakes.values()) socket.destroy();
      for (const socket of unrecognised) socket.destroy();
    }, LINGER_MS);
    timers.add(silent.unref());
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
    useCertificate(certificate) {
      if (listener instanceof TlsServer) listener.setSecureContext({ ...options.tls, ...certificate });
    },
    drain: http1.drain,
    close(graceMs) {
      timers.add(setTimeout(destroyAll, graceMs).unref());
      closing ??= close();
      return closing;
    },
  };
}

/** Of the connections that a port accepts. */
export const socketOptions = {
  // As in Node's own HTTP servers: the protocol decides what a half-close means.
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
} as const;

function createListener(
  options: OnePortOptions,
  timeouts: Timeouts,
  speak: (socket: Socket) => void,
  refuseHandshake: (error: NodeJS.ErrnoException, socket: TLSSocket) => void,
): Server {
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

/** Binds the port. Rejects with a `PortError` if it cannot be bound. */
export function listen(listener: Server, place: PortAddress): Promise<PortAddress> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new PortError(cause));
    listener.once("error", fail);
    listener.listen(place.port, place.host, () => {
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
  for (const name in headers) response.setHeader(name, headers[name] ?? "");
}

function handleSafely({ onRequest, onError }: OnePortOptions, request: NodeRequest, response: NodeResponse): void {
  try {
    // A handler may be asynchronous, whatever its type says.
    const result: unknown = onRequest(request, response);
    if (result instanceof Promise) result.catch((error) => fail(onError, response, error));
  } catch (error) {
    fail(onError, response, error);
  }
}

function fail(onError: OnePortOptions["onError"], response: NodeResponse, error: unknown): void {
  onError(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = 500;
  response.end();
}
