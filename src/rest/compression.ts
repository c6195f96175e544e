import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { parseQualities } from "./media-type.ts";

/** Smaller answers fit one packet as they are. */
const minBytes = 1024;

export type Encoding = "br" | "gzip";

/** Between clients that like both alike, the first. */
const encodings: readonly Encoding[] = ["br", "gzip"];

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
export function varyByEncoding(bytes: Uint8Array, header: Headers): void {
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
  const encoding = preferredEncoding(requestHeader.get("accept-encoding") ?? "");
  if (encoding === undefined) {
    return bytes;
  }
  const smaller = await compress(bytes, encoding, 4);
  header.set("content-encoding", encoding);
  return smaller;
}

export function compress(bytes: Uint8Array, encoding: Encoding, brotliQuality: number): Promise<Buffer> {
  return encoding === "br"
    ? promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } })
    : promisify(gzip)(bytes);
}

function isCompressible(bytes: Uint8Array, header: Headers): boolean {
  return bytes.length > minBytes && !header.has("content-encoding");
}

/** Of the encodings that an `Accept-Encoding` names, the one that the client prefers. */
export function preferredEncoding(accepted: string): Encoding | undefined {
  const qualities = parseQualities(accepted);
  const quality = (name: string) => qualities.get(name) ?? qualities.get("*") ?? 0;
  const [best] = encodings.filter((name) => quality(name) > 0).sort((left, right) => quality(right) - quality(left));
  return best;
}

interface Limit {
  readonly maxOutputLength: number;
}

/** Throws for bytes that are none, and a `RangeError` for more than `maxOutputLength`. */
export const decompressGzip: (bytes: Uint8Array, limit: Limit) => Promise<Buffer> = promisify(gunzip);

/** Like {@link decompressGzip}; as that does, it refuses bytes behind the end of what is compressed, which Node drops. */
export function decompressBrotli(bytes: Uint8Array, { maxOutputLength }: Limit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    brotliDecompress(bytes, { maxOutputLength, info: true }, (error, result: unknown) => {
      if (error !== null) {
        reject(error);
        return;
      }
      // With `info`, which the types lack.
      const { buffer, engine } = Object(result);
      if (engine.bytesWritten === bytes.length) resolve(buffer);
      else reject(new Error("there are bytes behind the end of what is compressed"));
    });
  });
}
