import { GatewayError } from "./gateway-error.ts";

const token = "[\\w!#$%&'*+.^`|~-]+";
const typePattern = new RegExp(`${token}/${token}`, "y");
const parameterPattern = new RegExp(
  `[ \\t]*;[ \\t]*(?:(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)"))?`,
  "y",
);

/**
 * Parses the value of a `Content-Type` (RFC 9110 §8.3.1): the type and the names of its parameters in lower case, the values
 * without quotes. Undefined if it is not valid, or a parameter occurs twice. Blanks around `=` are accepted.
 */
function parseMediaType(
  text: string,
): { readonly type: string; readonly parameters: ReadonlyMap<string, string> } | undefined {
  let end = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = end;
    const match = pattern.exec(text);
    end = match === null ? end : pattern.lastIndex;
    return match;
  };
  const [type] = take(typePattern) ?? [];
  if (type === undefined) {
    return undefined;
  }
  const parameters = new Map<string, string>();
  for (let match = take(parameterPattern); match !== null; match = take(parameterPattern)) {
    const [, name, value, quoted = ""] = match;
    if (name === undefined) {
      continue;
    }
    if (parameters.has(name.toLowerCase())) {
      return undefined;
    }
    parameters.set(name.toLowerCase(), value ?? quoted.replace(/\\(.)/g, "$1"));
  }
  return end < text.length ? undefined : { type: type.toLowerCase(), parameters };
}

/** The media type of a `Content-Type` in lower case, without parameters. Undefined if it is not valid, or its charset is not UTF-8. */
export function utf8MediaType(contentType: string): string | undefined {
  const parsed = parseMediaType(contentType);
  return /^utf-?8$/i.test(parsed?.parameters.get("charset") ?? "utf-8") ? parsed?.type : undefined;
}

/** Throws `unsupported-media-type` unless a request's `Content-Type` is JSON in UTF-8. */
export function requireJson(header: Headers): void {
  const contentType = header.get("content-type") ?? "";
  if (contentType !== "application/json" && utf8MediaType(contentType) !== "application/json") {
    throw new GatewayError("unsupported-media-type", "The Content-Type of the request body must be application/json.", {
      headers: { accept: "application/json" },
    });
  }
}

/** Throws `not-acceptable` if an `Accept` header excludes all of the media types (RFC 9110 §12.5.1). An empty list is always acceptable. */
export function requireAcceptable(header: Headers, mediaTypes: readonly string[]): void {
  const accept = header.get("accept");
  if (accept === null || accept === "*/*" || mediaTypes.length === 0 || mediaTypes.includes(accept)) {
    return;
  }
  const ranges = parseQualities(accept);
  if (!mediaTypes.some((mediaType) => quality(ranges, mediaType) > 0)) {
    throw new GatewayError("not-acceptable", `The response can only be sent as ${mediaTypes.join(" or ")}.`);
  }
}

/** Whether an `Accept` header gives one media type a higher quality than another. */
export function prefers(accept: string | null, mediaType: string, over: string): boolean {
  const ranges = parseQualities(accept ?? "");
  return quality(ranges, mediaType) > quality(ranges, over);
}

/** The quality of a media type, from the most specific range that matches. An empty header accepts everything. */
function quality(ranges: ReadonlyMap<string, number>, mediaType: string): number {
  const anySubtype = `${mediaType.split("/", 1)[0]}/*`;
  return ranges.get(mediaType) ?? ranges.get(anySubtype) ?? ranges.get("*/*") ?? (ranges.size === 0 ? 1 : 0);
}

/**
 * Parses a header of names with qualities, such as `gzip;q=0.5, *;q=0`. Names are in lower case, without parameters; a
 * quality that is not a number counts as 1.
 */
export function parseQualities(header: string): ReadonlyMap<string, number> {
  const qualities = new Map<string, number>();
  for (const item of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    const value = weight === undefined ? 1 : Number(weight.slice(2));
    if (name !== "") {
      qualities.set(name, Number.isNaN(value) ? 1 : value);
    }
  }
  return qualities;
}
