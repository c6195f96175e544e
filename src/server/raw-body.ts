import { Readable } from "node:stream";
import type { WholeBody } from "@byond/rest/request-content";
import { createContextKey } from "@connectrpc/connect";
import { addTimeOfClient } from "../database/call-deadline.ts";
import { AppError, deadlineExceeded } from "../errors.ts";
import { ChunkList } from "./chunk-list.ts";

/** Set by the server for each request, on every protocol. Undefined where there is none, as in tests. */
export const rawBodyKey = createContextKey<RawBody | undefined>(undefined, { description: "raw body" });

/** There is no `return`: left early, the request would be destroyed, and its answer would have no connection. */
interface BodyReader<Chunk> {
  next(): Promise<IteratorResult<Chunk>>;
}

/**
 * Reads what a client sends, bit by bit. Every body is read so: the time that a call spends waiting for its client is not ours, and a
 * client that goes away is no fault of ours.
 */
export function readFromClient<Chunk>(body: AsyncIterable<Chunk>): BodyReader<Chunk> {
  const received = body[Symbol.asyncIterator]();
  return {
    next: async () => {
      const askedAtMs = performance.now();
      try {
        return await received.next();
      } catch (cause) {
        throw bodyBrokeOff(cause);
      } finally {
        addTimeOfClient(performance.now() - askedAtMs);
      }
    },
  };
}

/**
 * The body of a request as it was received. It can be read as a whole ahead of its time (to check a signature), and still
 * be read as a stream afterwards, by whatever parses it. Unless it is read ahead, nothing is kept.
 */
export class RawBody implements WholeBody {
  readonly #source: AsyncIterable<Uint8Array>;
  #reader: BodyReader<Uint8Array> | undefined;
  #bytes: Promise<Uint8Array> | undefined;
  #untilMs: number | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  /** What has not arrived by a moment of `performance.now()` is not waited for: reading it throws `unavailable`. */
  waitUntil(untilMs: number): void {
    this.#untilMs = untilMs;
  }

  /** The whole body. Throws `payload_too_large` beyond `maxBytes`; call it before the stream is read, once or several times. */
  read(maxBytes: number): Promise<Uint8Array> {
    this.#bytes ??=
      this.#source instanceof Readable ? this.#readStream(this.#source, maxBytes) : this.#readAll(maxBytes);
    return this.#bytes;
  }

  /** The whole body, if it has up to `maxBytes`, as `read` gives it. Otherwise undefined. */
  async readWhole(maxBytes: number): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.read(maxBytes);
      return bytes.length > maxBytes ? undefined : bytes;
    } catch (error) {
      if (error instanceof AppError && error.code === "payload_too_large") {
        return undefined;
      }
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#bytes !== undefined) {
      const bytes = await this.#bytes;
      if (bytes.length > 0) {
        yield bytes;
      }
      return;
    }
    for (let next = await this.#next(); next.done !== true; next = await this.#next()) {
      yield next.value;
    }
    if (wasCut(this.#source)) {
      throw bodyBrokeOff(undefined);
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#reader ??= readFromClient(this.#source);
    const next = this.#reader.next();
    if (this.#untilMs === undefined) {
      return next;
    }
    const late = Promise.withResolvers<never>();
    const leftMs = Math.max(0, this.#untilMs - performance.now());
    const timer = setTimeout(() => late.reject(deadlineExceeded()), leftMs);
    try {
      return await Promise.race([next, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #readAll(maxBytes: number): Promise<Uint8Array> {
    const received = new ChunkList();
    for (let next = await this.#next(); next.done !== true; next = await this.#next()) {
      if (received.length + next.value.length > maxBytes) {
        throw tooLarge(maxBytes);
      }
      received.add(next.value);
    }
    return received.join();
  }

  /** The same for a stream of Node, by its events: an iterator of it takes as long as a lookup. */
  async #readStream(stream: Readable, maxBytes: number): Promise<Uint8Array> {
    const askedAtMs = performance.now();
    try {
      return await collect(stream, maxBytes, this.#untilMs);
    } finally {
      addTimeOfClient(performance.now() - askedAtMs);
    }
  }
}

/** Does not end the stream, whatever comes of it. */
function collect(stream: Readable, maxBytes: number, untilMs: number | undefined): Promise<Uint8Array> {
  const collected = Promise.withResolvers<Uint8Array>();
  const received = new ChunkList();
  const onData = (chunk: Uint8Array) => {
    received.add(chunk);
    if (received.length > maxBytes) {
      stop();
      stream.pause();
      collected.reject(tooLarge(maxBytes));
    }
  };
  const onEnd = () => {
    if (wasCut(stream)) {
      onClose(undefined);
      return;
    }
    stop();
    collected.resolve(received.join());
  };
  const onClose = (cause: unknown) => {
    stop();
    collected.reject(bodyBrokeOff(cause));
  };
  const onLate = () => {
    stop();
    stream.pause();
    collected.reject(deadlineExceeded());
  };
  const timer = untilMs === undefined ? undefined : setTimeout(onLate, Math.max(0, untilMs - performance.now()));
  const stop = () => {
    clearTimeout(timer);
    stream.off("data", onData).off("end", onEnd).off("error", onClose).off("close", onClose);
  };
  if (stream.destroyed || wasCut(stream)) {
    onClose(stream.errored);
  } else if (stream.readableEnded) {
    // Without any data, a stream of HTTP/2 ends although nobody reads it.
    onEnd();
  } else {
    stream.on("end", onEnd).on("error", onClose).on("close", onClose).on("data", onData);
  }
  return collected.promise;
}

/** Whether the client reset its request: over HTTP/2, Node delivers what had arrived, and then an end like any other. */
function wasCut(source: AsyncIterable<Uint8Array>): boolean {
  return "aborted" in source && source.aborted === true;
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes.`);
}

/** The client has left in the midst of its body, or gave it up. Nobody reads that: it is for the log, where it is no failure of ours. */
function bodyBrokeOff(cause: unknown): AppError {
  return new AppError("invalid_request", "The body of the request broke off.", { cause });
}
