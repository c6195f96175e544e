import { createContextKey } from "@connectrpc/connect";

/**
 * The target of the request, path and query exactly as sent; a parsed URL may be written differently. Set by the server for
 * each request, on every protocol.
 */
export const requestTargetKey = createContextKey<string>("", { description: "request target" });

/** The printable ASCII characters that may be in a URL unescaped, and the few more that real clients send. */
const TARGET_CHARACTERS = /^[\x21-\x7e]*$/;
/** The port may be empty (RFC 3986 §3.2.3). */
const HOST = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;
const CONTROL_CHARACTERS = /\p{Cc}/u;
/** What most targets are: a path without escapes, and perhaps a query. Such a one passes every check of `findTargetFault`. */
const PLAIN_TARGET = /^\/(?!\/)[!"$&->@-[\]-~]*(?:\?[!"$-[\]-~]*)?$/;

/** Authorities without a fault: requests repeat a few of them, and `URL` takes as long as all other checks. */
const knownAuthorities = new Set<string>();
const KNOWN_AUTHORITIES_MAX = 1_000;

/**
 * Returns what is wrong with the host and port of a request (RFC 9110 §7.2), as a message for the client. Undefined if nothing
 * is: then they can be put into a URL.
 */
export function findAuthorityFault(authority: string): string | undefined {
  if (knownAuthorities.has(authority)) return undefined;
  if (!HOST.test(authority) || !URL.canParse(`http://${authority}`)) return "The Host header is malformed.";
  if (knownAuthorities.size === KNOWN_AUTHORITIES_MAX) knownAuthorities.clear();
  knownAuthorities.add(authority);
  return undefined;
}

/**
 * Returns what is wrong with the target of a request, as a message for the client. Undefined if nothing is: then it is a path
 * with an optional query (origin-form, RFC 9112 §3.2.1), and stays the same path when it is resolved against an authority that
 * passes `findAuthorityFault`. The query is not checked.
 */
export function findTargetFault(target: string): string | undefined {
  if (PLAIN_TARGET.test(target)) return undefined;
  if (!target.startsWith("/")) return "The request target must be a path that begins with a slash.";
  // Two slashes, or a backslash, would be parsed as the start of another authority.
  if (target.startsWith("//")) return "The request target must not begin with two slashes.";
  if (target.includes("\\")) return "The request target contains a backslash, which must be escaped.";
  if (target.includes("#")) return "The request target contains a fragment.";
  if (!TARGET_CHARACTERS.test(target)) return "The request target contains characters that must be escaped.";
  return findPathFault(target.split("?", 1)[0] ?? "");
}

function findPathFault(path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return "The path contains a percent sign that does not begin a valid escape.";
  }
  if (CONTROL_CHARACTERS.test(decoded)) return "The path contains a control character.";
  return undefined;
}

/**
 * Splits a target in absolute form into host and path, without checking them. Undefined for other forms. Without a path it
 * means the root, or for OPTIONS the whole server (RFC 9112 §3.2.4).
 */
export function readAbsoluteForm(target: string, method: string): { authority: string; target: string } | undefined {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  if (rest === "" && method === "OPTIONS") return { authority, target: "*" };
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}
