/**
 * A body of one chunk: an asynchronous iterable of it, for whoever does not know that there is no other. A body of ASCII text can be
 * written as the text, which Node sends together with the headers.
 */
export class SingleChunk implements AsyncIterable<Uint8Array> {
  /** The body as text, if it is known as such and all of it is ASCII. */
  readonly ascii: string | undefined;
  #bytes: Uint8Array | undefined;

  /** `content`: bytes, or ASCII text. */
  constructor(content: Uint8Array | string) {
    if (typeof content === "string") {
      this.ascii = content;
    } else {
      this.#bytes = content;
    }
  }

  get bytes(): Uint8Array {
    this.#bytes ??= Buffer.from(this.ascii ?? "", "latin1");
    return this.#bytes;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    yield this.bytes;
  }
}
