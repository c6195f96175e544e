import { AppError } from "../errors.ts";
import { ChunkList } from "./chunk-list.ts";

export interface UnverifiedBodiesLimits {
  readonly maxBytes: number;
  readonly maxBytesPerSource: number;
}

export interface UnverifiedBody extends Disposable {
  /** Stores a chunk. Does nothing if the body was dropped. */
  add(chunk: Buffer): void;
  /** Rejects with `unavailable` when the body is dropped to make room. */
  readonly dropped: Promise<never>;
  /** The chunks received so far. */
  readonly chunks: readonly Uint8Array[];
}

class Body {
  readonly source: string;
  readonly dropped = Promise.withResolvers<never>();
  received = new ChunkList();

  constructor(source: string) {
    this.source = source;
  }
}

/**
 * Limits the memory of request bodies whose sender is not authenticated yet, in total and per source. When there is no room,
 * the largest body of the source that uses most is dropped, so that early senders do not keep out later ones.
 */
export class UnverifiedBodies {
  readonly #limits: UnverifiedBodiesLimits;
  readonly #bodies = new Set<Body>();
  readonly #bytesBySource = new Map<string, number>();
  #bytes = 0;

  constructor(limits: UnverifiedBodiesLimits) {
    this.#limits = limits;
  }

  /** Opens a body. Disposing of it frees its memory. */
  open(source: string): UnverifiedBody {
    const body = new Body(source);
    // Nobody need be waiting when it rejects.
    body.dropped.promise.catch(() => undefined);
    this.#bodies.add(body);
    return {
      add: (chunk) => this.#add(body, chunk),
      dropped: body.dropped.promise,
      get chunks() {
        return body.received.chunks;
      },
      [Symbol.dispose]: () => this.#remove(body),
    };
  }

  #add(body: Body, chunk: Buffer): void {
    if (!this.#bodies.has(body)) {
      return;
    }
    body.received.add(chunk);
    this.#count(body.source, chunk.length);
    const { maxBytes, maxBytesPerSource } = this.#limits;
    while ((this.#bytesBySource.get(body.source) ?? 0) > maxBytesPerSource) {
      this.#dropLargestOf(body.source);
    }
    while (this.#bytes > maxBytes) {
      const [source] = [...this.#bytesBySource].reduce((most, next) => (next[1] > most[1] ? next : most));
      this.#dropLargestOf(source);
    }
  }

  #dropLargestOf(source: string): void {
    const ofSource = [...this.#bodies].filter((body) => body.source === source);
    const largest = ofSource.reduce((most, body) => (body.received.length > most.received.length ? body : most));
    this.#remove(largest);
    largest.dropped.reject(
      new AppError("unavailable", "The server is receiving too many large requests at once. Try again shortly."),
    );
  }

  #remove(body: Body): void {
    if (this.#bodies.delete(body)) {
      this.#count(body.source, -body.received.length);
      body.received = new ChunkList();
    }
  }

  #count(source: string, bytes: number): void {
    this.#bytes += bytes;
    const ofSource = (this.#bytesBySource.get(source) ?? 0) + bytes;
    if (ofSource === 0) {
      this.#bytesBySource.delete(source);
    } else {
      this.#bytesBySource.set(source, ofSource);
    }
  }
}
