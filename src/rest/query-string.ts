import { GatewayError } from "./gateway-error.ts";
import { percentDecode } from "./percent-encoding.ts";

/** The path and the query of a request's URL, still percent-encoded. Takes absolute URLs and paths. */
export function splitUrl(url: string): { readonly path: string; readonly query: string } {
  if (url.startsWith("/") && !url.includes("#")) {
    const end = url.indexOf("?");
    return end < 0 ? { path: url, query: "" } : { path: url.slice(0, end), query: url.slice(end + 1) };
  }
  const [, path = "", query = ""] = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?/.exec(url) ?? [];
  return { path: path === "" ? "/" : path, query };
}

/**
 * Parses a query as HTML forms write it (https://url.spec.whatwg.org/#urlencoded-parsing): `+` is a space, except at the
 * beginning of a value, since people paste phone numbers as they are (`?number=+6591234567`). Throws `malformed-target`
 * if the percent-encoding is not valid or not UTF-8.
 */
export function parseQuery(query: string): [name: string, value: string][] {
  const parameters: [name: string, value: string][] = [];
  for (const part of query === "" ? [] : query.split("&")) {
    if (part !== "") {
      const equals = part.indexOf("=");
      const name = equals < 0 ? part : part.slice(0, equals);
      parameters.push([decode(name), equals < 0 ? "" : decodeValue(part.slice(equals + 1))]);
    }
  }
  return parameters;
}

function decodeValue(text: string): string {
  return text.startsWith("+") ? `+${decode(text.slice(1))}` : decode(text);
}

function decode(text: string): string {
  const decoded = percentDecode(text.includes("+") ? text.replaceAll("+", " ") : text);
  if (decoded === undefined) {
    throw new GatewayError("malformed-target", "The query of the request is not percent-encoded UTF-8.");
  }
  return decoded;
}
