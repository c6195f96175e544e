import { Resolver } from "node:dns/promises";

/** Finds the addresses of a name: none if it has none. Rejects when the signal aborts. */
export type ResolveAddresses = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

const timeoutMs = 2_500;
const tries = 2;

/**
 * Asks the name servers of this machine, not `getaddrinfo`: that takes one of the few threads that hash passwords for as long as a
 * customer's name server likes to stay silent. IPv4 first, for servers without a way to IPv6.
 */
export const resolveAddresses: ResolveAddresses = async (host, signal) => {
  signal.throwIfAborted();
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    signal.throwIfAborted();
    return found.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  } finally {
    signal.removeEventListener("abort", cancel);
  }
};
