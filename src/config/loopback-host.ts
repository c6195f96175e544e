import { isIP } from "node:net";

/**
 * Whether `host` is this machine's own: `localhost`, in any case and with or without the root's dot, `::1` or 127.0.0.0/8. No
 * other name is resolved.
 */
export function isLoopbackHost(host: string): boolean {
  return /^localhost\.?$/i.test(host) || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** A host to connect to or listen on. With its dot, `localhost.` would be looked up in the DNS. */
export function withoutRootDot(host: string): string {
  return isLoopbackHost(host) ? host.replace(/\.$/, "") : host;
}
