import { isIP } from "node:net";
import { type DestinationRules, isAllowedDestination } from "./allowed-destination.ts";

/** Longer ones are refused by many receivers. */
export const maxUrlLength = 2_048;

/** The URL parser drops or encodes them, and the mail to the owner shows the URL as it was given: no lines of somebody else's. */
const unwritten = /[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * What is wrong with the URL of a receiver that a customer gives; undefined if nothing is. A name is judged by its addresses whenever
 * it is connected to, so that this is no more than an early word to the person who types it.
 */
export function customerUrlProblem(text: string, rules: DestinationRules): string | undefined {
  if (text.length > maxUrlLength) {
    return `must be at most ${maxUrlLength} characters long`;
  }
  // The parser also takes `https:example.com` and backslashes.
  const url = URL.canParse(text) && /^https?:\/\//i.test(text) ? new URL(text) : undefined;
  const isScheme = url?.protocol === "https:" || (url?.protocol === "http:" && rules.allowsLoopback);
  if (url === undefined || !isScheme) {
    return `must be a URL that begins with https://${rules.allowsLoopback ? ", or http:// for this machine" : ""}`;
  }
  if (unwritten.test(text)) {
    return "must not contain spaces or control characters";
  }
  if (url.username !== "" || url.password !== "") {
    return "must not contain a user or a password: the receiver knows us by the signature";
  }
  if (text.includes("#")) {
    return "must not contain a fragment";
  }
  if (url.port === "0") {
    return "must have a port between 1 and 65535";
  }
  const host = hostOf(url);
  const addresses = addressesWithoutDns(host);
  if (addresses?.some((address) => !isAllowedDestination(rules, url.protocol, address)) === true) {
    return "must have a public address";
  }
  if (addresses === undefined && url.protocol === "http:") {
    return "must begin with https:// unless it is this machine";
  }
  return undefined;
}

/** The host of a URL without the brackets around an IPv6 address and without the dot after a name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** The addresses of a host that is an address itself, or this machine's name (RFC 6761 §6.3). Undefined for other names. */
export function addressesWithoutDns(host: string): readonly string[] | undefined {
  if (isIP(host) !== 0) {
    return [host];
  }
  return host === "localhost" || host.endsWith(".localhost") ? ["127.0.0.1", "::1"] : undefined;
}
