import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { assertByteStreamRequest, type UniversalServerRequest } from "@connectrpc/connect/protocol";
import { addTimeOfClient } from "../database/call-deadline.ts";
import { AppError, deadlineExceeded } from "../errors.ts";

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

/** The same request with a body that the gate can read ahead. Its context values get to know it. */
export function withRawBody(request: UniversalServerRequest, values: ContextValues): UniversalServerRequest {
  assertByteStreamRequest(request);
  const body = new RawBody(request.body);
  values.set(rawBodyKey, body);
  return { ...request, body, contextValues: values };
}

/**
 * The body of a request as it was received. It can be read as a whole ahead of its time (to check a signature), and still
 * be read as a stream afterwards, by whatever parses it. Unless it is read ahead, nothing is kept.
 */
export class RawBody implements AsyncIterable<Uint8Array> {
  readonly #source: BodyReader<Uint8Array>;
  #bytes: Promise<Uint8Array> | undefined;
  #untilMs: number | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = readFromClient(source);
  }

  /** What has not arrived by a moment of `performance.now()` is not waited for: reading it throws `unavailable`. */
  waitUntil(untilMs: number): void {
    this.#untilMs = untilMs;
  }

  /** The whole body. Throws `payload_too_large` beyond `maxBytes`; call it before the stream is read, once or several times. */
  read(maxBytes: number): Promise<Uint8Array> {
    this.#bytes ??= this.#readAll(maxBytes);
    return this.#bytes;
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
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#source.next();
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
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (let next = await this.#next(); next.done !== true; next = await this.#next()) {
      length += next.value.length;
      if (length > maxBytes) {
        throw new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes.`);
      }
      chunks.push(next.value);
    }
    return Buffer.concat(chunks);
  }
}

/** The client has left in the midst of its body, or gave it up. Nobody reads that: it is for the log, where it is no failure of ours. */
function bodyBrokeOff(cause: unknown): AppError {
  return new AppError("invalid_request", "The body of the request broke off.", { cause });
}
