import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { parseQualities } from "./media-type.ts";

/** Smaller responses fit one packet uncompressed. */
const minBytes = 1024;

export type Encoding = "br" | "gzip";

/** In order of preference, where a client gives both the same quality. */
const encodings: readonly Encoding[] = ["br", "gzip"];

/**
 * The codings that a request's content is in, in the order in which they were applied (RFC 9110 §8.4): in lower case, without `identity`
 * and empty list members; `x-gzip` becomes `gzip`.
 */
export function parseContentCodings(header: string): readonly string[] {
  return header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity")
    .map((name) => (name === "x-gzip" ? "gzip" : name));
}

/** Adds `Vary: accept-encoding` to a response that is long enough to be compressed; a 304 needs it too. */
export function varyByEncoding(size: number, header: Headers): void {
  if (isCompressible(size, header)) {
    header.append("vary", "accept-encoding");
  }
}

/**
 * The encoding to compress a response with: the one that the client prefers (RFC 9110 §12.5.3). Undefined for responses of up to 1 KiB,
 * and for those that already have a `Content-Encoding`.
 */
export function encodingFor(size: number, requestHeader: Headers, header: Headers): Encoding | undefined {
  return isCompressible(size, header) ? preferredEncoding(requestHeader.get("accept-encoding") ?? "") : undefined;
}

export function compress(bytes: Uint8Array, encoding: Encoding, brotliQuality: number): Promise<Buffer> {
  return encoding === "br"
    ? promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } })
    : promisify(gzip)(bytes);
}

function isCompressible(size: number, header: Headers): boolean {
  return size > minBytes && !header.has("content-encoding");
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

/** Throws if the bytes are not valid gzip, and a `RangeError` if the result is longer than `maxOutputLength`. */
export const decompressGzip: (bytes: Uint8Array, limit: Limit) => Promise<Buffer> = promisify(gunzip);

/** Like {@link decompressGzip}. Rejects bytes after the end of the stream, as gunzip does and Node's brotli does not. */
export function decompressBrotli(bytes: Uint8Array, { maxOutputLength }: Limit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    brotliDecompress(bytes, { maxOutputLength, info: true }, (error, result: unknown) => {
      if (error !== null) {
        reject(error);
        return;
      }
      // The result with `info: true`, which the types lack.
      const { buffer, engine } = Object(result);
      if (engine.bytesWritten === bytes.length) resolve(buffer);
      else reject(new Error("there are bytes after the end of the compressed data"));
    });
  });
}
