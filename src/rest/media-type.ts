import { GatewayError } from "./gateway-error.ts";

/** Throws `unsupported-media-type` unless a request's `Content-Type` is JSON in UTF-8. */
export function requireJson(header: Headers): void {
  const contentType = header.get("content-type");
  if (contentType === "application/json") {
    return;
  }
  const [type, ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const isUtf8 = parameters.every((parameter) => {
    const [name, value] = parameter.split("=", 2);
    return name?.trim() !== "charset" || /^\s*"?utf-?8"?\s*$/.test(value ?? "");
  });
  if (type?.trim() !== "application/json" || !isUtf8) {
    throw new GatewayError("unsupported-media-type", "The Content-Type of the request body must be application/json.", {
      headers: { accept: "application/json" },
    });
  }
}

/** Throws `not-acceptable` if an `Accept` header excludes all of the media types (RFC 9110 §12.5.1), if there are any. */
export function requireAcceptable(header: Headers, mediaTypes: readonly string[]): void {
  const accept = header.get("accept");
  if (accept === null || accept === "*/*" || mediaTypes.length === 0 || mediaTypes.includes(accept)) {
    return;
  }
  const ranges = parseQualities(accept);
  if (!mediaTypes.some((mediaType) => quality(ranges, mediaType) > 0)) {
    throw new GatewayError("not-acceptable", `The answer can only be sent as ${mediaTypes.join(" or ")}.`);
  }
}

/** The quality that the most specific range gives a media type. An empty header accepts everything. */
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
