import { GatewayError } from "./gateway-error.ts";

/** The maximum of a timer, 24.8 days. */
const maxTimeoutMs = 2_147_483_647;

/**
 * Reads how long the client waits, in seconds, from `Request-Timeout` (such as `2.5`). The call's signal aborts after that time.
 * Returns milliseconds, or `undefined` without the header.
 *
 * If the value is not a positive decimal number, it returns a `malformed-header` error instead of throwing it, since other errors take
 * precedence.
 */
export function readTimeout(header: Headers): number | undefined | GatewayError {
  const value = header.get("request-timeout");
  if (value === null) {
    return undefined;
  }
  const seconds = /^[0-9]{1,9}(?:\.[0-9]{1,9})?$/.test(value) ? Number(value) : 0;
  if (seconds === 0) {
    return new GatewayError("malformed-header", "The header Request-Timeout must be a positive number of seconds.");
  }
  return Math.min(Math.ceil(seconds * 1000), maxTimeoutMs);
}
