import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** The addresses that share a prefix. A single address is a range whose prefix has its full length. */
export interface IpRange {
  readonly network: IpAddress;
  readonly prefixLength: number;
}

/**
 * Parses an address in its usual notation, not in the old ones that some parsers accept (`0x7f.1`, `2130706433`). An
 * IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) becomes the IPv4 address. Undefined if the text is not an address.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIP(text) === 0 || text.includes("%")) {
    return undefined;
  }
  return ipaddr.process(text.includes(":") ? text.replace(dottedEnd, asHexadecimalGroups) : text);
}

/** ipaddr.js takes `::192.0.2.1` for `::ffff:192.0.2.1`, so the dotted part is rewritten as hexadecimal groups. */
const dottedEnd = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

function asHexadecimalGroups(_: string, ...bytes: string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The canonical notation of an address: `192.0.2.1`, `2001:db8::1` (RFC 5952). */
export function formatIpAddress(address: IpAddress): string {
  return address.toString();
}

/**
 * Parses an address or a range in CIDR notation. If it is invalid, returns the problem as text. Bits beyond the prefix are
 * refused, not dropped: `203.0.113.7/24` may have been meant as a single address.
 */
export function parseIpRange(text: string): IpRange | string {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseIpAddress(addressText);
  if (address === undefined || rest.length > 0) {
    return "must be an IPv4 or IPv6 address, or a range such as 203.0.113.0/24";
  }
  const bits = address.kind() === "ipv4" ? 32 : 128;
  if (prefixText === undefined) {
    return { network: address, prefixLength: bits };
  }
  if (/^0\d/.test(prefixText)) {
    return "must have a prefix without leading zeros";
  }
  const isMapped = bits === 32 && addressText.includes(":");
  const written = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  const prefixLength = isMapped ? written - 96 : written;
  if (!(prefixLength >= 0 && prefixLength <= bits)) {
    return isMapped
      ? "must be written as an IPv4 range, such as 203.0.113.0/24"
      : `must have a prefix between 0 and ${bits}`;
  }
  const network = maskAddress(address, prefixLength);
  if (formatIpAddress(network) !== formatIpAddress(address)) {
    return `has bits set beyond its prefix: write ${formatIpAddress(network)}/${prefixLength}, or the address alone`;
  }
  return { network, prefixLength };
}

/** The canonical notation of a range. A range of a single address is written as that address. */
export function formatIpRange({ network, prefixLength }: IpRange): string {
  const address = formatIpAddress(network);
  return prefixLength === (network.kind() === "ipv4" ? 32 : 128) ? address : `${address}/${prefixLength}`;
}

export function includesAddress({ network, prefixLength }: IpRange, address: IpAddress): boolean {
  return network.kind() === address.kind() && address.match([network, prefixLength]);
}

/** The address with all bits after the prefix set to zero. */
export function maskAddress(address: IpAddress, prefixLength: number): IpAddress {
  const bytes = address.toByteArray().map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte & (0xff << (8 - kept));
  });
  return ipaddr.fromByteArray(bytes);
}
