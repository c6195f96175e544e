import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { type IpRange, includesAddress, parseIpAddress, parseIpRange } from "../server/ip-range.ts";

/** Which addresses a request may go to whose URL a customer gave. */
export interface DestinationRules {
  /** Ranges that are allowed although they are not public. Their receivers need `https`, as public ones do. */
  readonly allowedNetworks: readonly IpRange[];
  /** Whether `http` and `https` to this machine are allowed: only where the customer is the person at this machine. */
  readonly allowsLoopback: boolean;
}

/**
 * What is not a public IPv4 address: the blocks of IANA's registry of special-purpose addresses (RFC 6890), those for multicast and
 * the reserved ones, and the address at which Azure serves its machines, which is none of them.
 */
const refusedIpv4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "168.63.129.16",
].map(rangeOf);

/**
 * The only block that IPv6 addresses are given out of (RFC 4291 §2.4). Loopback, link-local, unique local (with the metadata service
 * `fd00:ec2::254`), multicast, IPv4-mapped and NAT64 (RFC 6052, RFC 8215) addresses are all outside it.
 */
const globalIpv6 = rangeOf("2000::/3");

/** Within it: protocol assignments with Teredo, documentation, 6to4, and documentation again (RFC 9637). */
const refusedIpv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"].map(rangeOf);

const loopback = ["127.0.0.0/8", "::1"].map(rangeOf);

/** Whether a request with this scheme (`https:` or `http:`) may go to this address. */
export function isAllowedDestination(rules: DestinationRules, protocol: string, text: string): boolean {
  const address = parseIpAddress(text);
  // An IPv4-mapped address is written as IPv4, or refused: nothing that is judged here should have two spellings.
  if (address === undefined || (address.kind() === "ipv4" && isIP(text) === 6)) {
    return false;
  }
  const isIn = (ranges: readonly IpRange[]) => ranges.some((range) => includesAddress(range, address));
  if (rules.allowsLoopback && isIn(loopback)) {
    return true;
  }
  if (protocol !== "https:") {
    return false;
  }
  if (isIn(rules.allowedNetworks)) {
    return true;
  }
  return address instanceof ipaddr.IPv4 ? !isIn(refusedIpv4) : isIn([globalIpv6]) && !isIn(refusedIpv6);
}

function rangeOf(text: string): IpRange {
  const range = parseIpRange(text);
  if (typeof range === "string") {
    throw new TypeError(`${text} ${range}`);
  }
  return range;
}
