import { createContextKey } from "@connectrpc/connect";

/**
 * The target of the request, path and query as they were sent: URLs that were parsed since may be written differently. Set
 * by the server for each request, on every protocol.
 */
export const requestTargetKey = createContextKey<string>("", { description: "request target" });

/** The printable ASCII characters that may be in a URL unescaped, and the few more that real clients send. */
const TARGET_CHARACTERS = /^[\x21-\x7e]*$/;
/** The port may be empty (RFC 3986 §3.2.3). */
const HOST = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;
const CONTROL_CHARACTERS = /\p{Cc}/u;

/**
 * Says what is wrong with the host and port a request is addressed to (RFC 9110 §7.2), in words for the client;
 * undefined if nothing is. What passes can be put into a URL.
 */
export function findAuthorityFault(authority: string): string | undefined {
  if (!HOST.test(authority) || !URL.canParse(`http://${authority}`)) return "The Host header is malformed.";
  return undefined;
}

/**
 * Says what is wrong with the target of a request, in words for the client; undefined if nothing is. Only paths with an
 * optional query pass (origin-form, RFC 9112 §3.2.1), and what passes is still the same path once it is resolved against
 * an authority that passes `findAuthorityFault`. The query is not looked into.
 */
export function findTargetFault(target: string): string | undefined {
  if (!target.startsWith("/")) return "The request target must be a path that begins with a slash.";
  // Both would be read as the beginning of another authority.
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
 * Host and path of a target in absolute form; undefined for the other forms. Nothing is checked of them. Without a path it
 * means the root, or with OPTIONS the server as a whole (RFC 9112 §3.2.4).
 */
export function readAbsoluteForm(target: string, method: string): { authority: string; target: string } | undefined {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  if (rest === "" && method === "OPTIONS") return { authority, target: "*" };
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}
