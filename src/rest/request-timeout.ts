import { GatewayError } from "./gateway-error.ts";

/** Longer is as good as none; a timer takes no more. */
const maxTimeoutMs = 2_147_483_647;

/**
 * Reads how long the client is going to wait, from `Request-Timeout: <seconds>`, such as `2.5`. The call's signal
 * aborts after that time. Answers milliseconds, or `undefined` where there is no limit.
 *
 * A value that is not a positive decimal number is a `malformed-header` error, which is returned, not thrown: other
 * refusals come first.
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
