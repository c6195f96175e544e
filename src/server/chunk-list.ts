/** Chunks below this are joined. A chunk takes some 200 bytes beside its own. */
const smallBytes = 1_024;
const blockBytes = 4_096;

/**
 * The chunks of a body. Small ones are joined, since a client that sends single bytes would otherwise take two hundred times the memory of what it
 * sends.
 */
export class ChunkList {
  readonly #chunks: Uint8Array[] = [];
  /** What small chunks are copied to, and how much of it is used: its used part is the last of the chunks. */
  #block: Buffer | undefined;
  #used = 0;
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.length;
    // Most bodies have one chunk, which is not copied.
    if (chunk.length >= smallBytes || this.#chunks.length === 0) {
      this.#chunks.push(chunk);
      this.#block = undefined;
      return;
    }
    if (this.#block === undefined || this.#used + chunk.length > blockBytes) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#used = 0;
      this.#chunks.push(this.#block.subarray(0, 0));
    }
    this.#block.set(chunk, this.#used);
    this.#used += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#used);
  }

  /** All of it. */
  join(): Uint8Array {
    const [first] = this.#chunks;
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#length);
  }
}
