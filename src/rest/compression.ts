import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { parseQualities } from "./media-type.ts";

/** Smaller answers fit one packet as they are. */
const minBytes = 1024;

const encodings = [
  { name: "br", compress: promisify(brotliCompress), options: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } } },
  { name: "gzip", compress: promisify(gzip), options: {} },
] as const;

/**
 * The codings that a request's content is in, in the order in which they were applied (RFC 9110 §8.4): in lower case, without `identity`
 * and empty members of the list, and with `gzip` for `x-gzip`.
 */
export function parseContentCodings(header: string): readonly string[] {
  return header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity")
    .map((name) => (name === "x-gzip" ? "gzip" : name));
}

/** Tells caches, also with a 304, that an answer of this length depends on what encodings the client takes. */
export function markVariants(bytes: Uint8Array, header: Headers): void {
  if (isCompressible(bytes, header)) {
    header.append("vary", "accept-encoding");
  }
}

/**
 * Compresses an answer of more than 1 KiB with what the client prefers (RFC 9110 §12.5.3), and says so in the headers.
 * An answer that already has a `Content-Encoding` is left alone.
 */
export async function compressed(bytes: Uint8Array, requestHeader: Headers, header: Headers): Promise<Uint8Array> {
  if (!isCompressible(bytes, header)) {
    return bytes;
  }
  const encoding = preferredEncoding(requestHeader.get("accept-encoding"));
  if (encoding === undefined) {
    return bytes;
  }
  const smaller = await encoding.compress(bytes, encoding.options);
  header.set("content-encoding", encoding.name);
  return smaller;
}

function isCompressible(bytes: Uint8Array, header: Headers): boolean {
  return bytes.length > minBytes && !header.has("content-encoding");
}

function preferredEncoding(accepted: string | null): (typeof encodings)[number] | undefined {
  if (accepted === null) {
    return undefined;
  }
  const qualities = parseQualities(accepted);
  const quality = (name: string) => qualities.get(name) ?? qualities.get("*") ?? 0;
  const [best] = encodings
    .filter(({ name }) => quality(name) > 0)
    .sort((left, right) => quality(right.name) - quality(left.name));
  return best;
}
