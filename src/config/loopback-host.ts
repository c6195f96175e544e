import { isIP } from "node:net";

/** Whether `host` is this machine's own: `localhost`, `::1` or 127.0.0.0/8. No other name is resolved. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
