import { promisify } from "node:util";
import { brotliDecompress, gunzip } from "node:zlib";

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
