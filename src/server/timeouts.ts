/** How long the port waits for a client, in milliseconds. */
export interface Timeouts {
  /** From the connection to its first bytes. Also for the TLS handshake. */
  readonly firstByteMs: number;
  /** For the headers of an HTTP/1.1 request, and for the initial settings of an HTTP/2 connection. */
  readonly headersMs: number;
  /** For a whole request, including its body. An HTTP/2 call that is already being answered may take longer. */
  readonly requestMs: number;
  /**
   * Between two requests of a connection. Longer than load balancers keep idle connections (Google 600 s, AWS and nginx 60 s):
   * they answer 502 if a connection closes just as they use it.
   */
  readonly keepAliveMs: number;
  /** For the next sign that the client is reading its answer. */
  readonly stalledMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  firstByteMs: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 620_000,
  stalledMs: 60_000,
};

/** How long the peer may take to close a connection that we have closed. */
export const LINGER_MS = 1_000;
