import { createContextKey } from "@connectrpc/connect";
import { LruMap } from "../lru-map.ts";
import {
  formatIpAddress,
  type IpAddress,
  type IpRange,
  includesAddress,
  maskAddress,
  parseIpAddress,
} from "./ip-range.ts";

/** Set by the server for each request, on every protocol. Undefined: the address is unknown. */
export const clientAddressKey = createContextKey<string | undefined>(undefined, { description: "client address" });

export interface ProxyTrust {
  /** The header that the proxies write. */
  readonly header: string;
  /** The addresses of the proxies. None: the header is never read. */
  readonly trustedProxies: readonly IpRange[];
}

/**
 * The address of the client, in canonical notation: the socket's, or, behind a trusted proxy, the rightmost address of the
 * header that is not a trusted proxy. Addresses to its left were written by the client and prove nothing. Undefined if the
 * address cannot be parsed.
 */
export function clientAddressOf(
  trust: ProxyTrust,
  socketAddress: string | undefined,
  headers: Pick<Headers, "get">,
): string | undefined {
  const isTrusted = (address: IpAddress) => trust.trustedProxies.some((range) => includesAddress(range, address));
  const peer = parsePeer(socketAddress ?? "");
  if (trust.trustedProxies.length === 0) {
    return peer.text;
  }
  let client = peer.address;
  const hops = headers.get(trust.header)?.split(",") ?? [];
  while (client !== undefined && isTrusted(client)) {
    const hop = hops.pop();
    if (hop === undefined) {
      break;
    }
    client = parseHop(hop.trim());
  }
  return client === undefined ? undefined : formatIpAddress(client);
}

interface Peer {
  readonly address: IpAddress | undefined;
  /** In canonical notation. */
  readonly text: string | undefined;
}

/** All requests of a connection come from one address. */
const knownPeers = new LruMap<string, Peer>(1_000);

function parsePeer(socketAddress: string): Peer {
  let peer = knownPeers.get(socketAddress);
  if (peer === undefined) {
    // A socket's link-local address ends with a percent sign and the interface.
    const address = parseIpAddress(socketAddress.split("%")[0] ?? "");
    peer = { address, text: address && formatIpAddress(address) };
    knownPeers.set(socketAddress, peer);
  }
  return peer;
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const hopWithPort = /^(?:([\d.]+):\d{1,5}|\[([\da-f:.]+)\](?::\d{1,5})?)$/i;

function parseHop(hop: string): IpAddress | undefined {
  const [, v4, v6] = hopWithPort.exec(hop) ?? [];
  return parseIpAddress(v4 ?? v6 ?? hop);
}

/** The key that all requests without a known address are counted under. */
export const unknownSource = "unknown";

/**
 * The key that requests from an address are counted under: the IPv4 address, or the /64 of an IPv6 address, since a provider's
 * customer has at least a /64. Requests without a known address share one key.
 */
export function limitKeyOf(clientAddress: string | undefined): string {
  const address = parseIpAddress(clientAddress ?? "");
  if (address === undefined) {
    return unknownSource;
  }
  return address.kind() === "ipv4" ? formatIpAddress(address) : `${formatIpAddress(maskAddress(address, 64))}/64`;
}

/** The network that somebody with many addresses is likely to have them in: the /24 of an IPv4 address, the /48 of an IPv6 one. */
export function networkOf(clientAddress: string | undefined): string {
  const address = parseIpAddress(clientAddress ?? "");
  if (address === undefined) {
    return unknownSource;
  }
  return formatIpAddress(maskAddress(address, address.kind() === "ipv4" ? 24 : 48));
}
