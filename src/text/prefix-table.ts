import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";

const decompress = promisify(brotliDecompress);

/** Numbers in E.164 form have at most 15 digits, and the prefixes of the tables at most 9, so that they fit into 32 bits. */
const longestPrefix = 9;

/**
 * What is known of numbers by how they begin, such as the place of an area code: the longest known prefix counts. Made for hundreds of thousands
 * of prefixes: two typed arrays and one text, some 8 bytes a prefix.
 *
 * The form of a file, little-endian, compressed with Brotli: the number of prefixes and of values (32 bits each); the prefixes as numbers in
 * ascending order, each as the difference to the one before (32 bits); the position of each prefix's value (16 bits); the values in UTF-8,
 * separated by line feeds.
 */
export class PrefixTable {
  readonly #prefixes: Uint32Array;
  readonly #positions: Uint16Array;
  readonly #values: Buffer;
  /** Where each value begins. */
  readonly #starts: Uint32Array;

  /** Decodes a decompressed file. */
  constructor(bytes: Buffer) {
    const prefixCount = bytes.readUInt32LE(0);
    const valueCount = bytes.readUInt32LE(4);
    const positionsAt = 8 + 4 * prefixCount;
    const valuesAt = positionsAt + 2 * prefixCount;
    this.#prefixes = new Uint32Array(prefixCount);
    this.#positions = new Uint16Array(prefixCount);
    let prefix = 0;
    for (let index = 0; index < prefixCount; index += 1) {
      prefix += bytes.readUInt32LE(8 + 4 * index);
      this.#prefixes[index] = prefix;
      this.#positions[index] = bytes.readUInt16LE(positionsAt + 2 * index);
    }
    // A copy, since the bytes of the prefixes are not needed any more.
    this.#values = Buffer.from(bytes.subarray(valuesAt));
    this.#starts = new Uint32Array(valueCount + 1);
    for (let value = 1; value < valueCount; value += 1) {
      this.#starts[value] = this.#values.indexOf(0x0a, this.#starts[value - 1]) + 1;
    }
    this.#starts[valueCount] = this.#values.length + 1;
  }

  static async read(path: string): Promise<PrefixTable> {
    return new PrefixTable(await decompress(await readFile(path)));
  }

  /** The value of the longest prefix of a number, given in digits that begin with its calling code. */
  find(digits: string): string | undefined {
    for (let length = Math.min(longestPrefix, digits.length); length > 0; length -= 1) {
      const index = this.#indexOf(Number(digits.slice(0, length)));
      const position = index < 0 ? undefined : this.#positions[index];
      if (position !== undefined) {
        return this.#values.toString("utf8", this.#starts[position], (this.#starts[position + 1] ?? 0) - 1);
      }
    }
    return undefined;
  }

  /** The index of a prefix, by binary search. Negative if it is not there. */
  #indexOf(prefix: number): number {
    let low = 0;
    let high = this.#prefixes.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#prefixes[middle] ?? 0;
      if (found === prefix) {
        return middle;
      }
      if (found < prefix) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }
}
