/** How long the port waits for a client, in milliseconds. */
export interface Timeouts {
  /** From the connection to the first bytes, and for the TLS handshake. */
  readonly firstByteMs: number;
  /** For the headers of a request over HTTP/1.1; for the settings at the beginning of an HTTP/2 connection. */
  readonly headersMs: number;
  /** For a whole request, body included. An HTTP/2 call that is already being answered may take longer. */
  readonly requestMs: number;
  /**
   * Between the requests of a connection. Longer than load balancers keep theirs, who answer 502 if a connection ends just as they
   * use it: Google's 600 s, those of AWS and nginx 60 s.
   */
  readonly keepAliveMs: number;
  /** For the next sign that a client reads the answer it is being sent. */
  readonly stalledMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  firstByteMs: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 620_000,
  stalledMs: 60_000,
};

/** How long a connection that we have ended may take to be ended by the other side too. */
export const LINGER_MS = 1_000;
