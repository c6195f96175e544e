import { ByondError } from "./errors.ts";
import type { StreamMessage } from "./operation.ts";
import { isWorthRetrying, pauseMs, sleep } from "./retry.ts";

/** The server sends a heartbeat every ten seconds. A connection that is silent for longer than this is dead. */
const silenceMs = 30_000;

/** How a stream opens its connections. */
export interface StreamSource<Result> {
  /** Opens a connection that begins after a position; undefined: where the caller said. The signal ends it. */
  readonly open: (resumeAfter: string | undefined, signal: AbortSignal) => Promise<AsyncIterable<StreamMessage>>;
  /** Makes what readers get out of the JSON of a result. */
  readonly read: (result: StreamMessage["result"]) => Result;
  /** How often in a row connecting may fail. */
  readonly maxRetries: number;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
}

/**
 * A stream. It is opened when somebody begins to read, and goes on where it was when its connection is lost: each result comes once. It ends when
 * you leave the loop, when the signal is aborted, or with an error that repeating does not mend.
 *
 * @example
 * ```ts
 * for await (const event of byond.events.stream({ after: lastSeen })) {
 *   await handle(event);
 * }
 * ```
 */
export class EventStream<Result> implements AsyncIterable<Result> {
  readonly #source: StreamSource<Result>;
  #resumeAfter: string | undefined;

  /** @internal */
  constructor(source: StreamSource<Result>) {
    this.#source = source;
  }

  /** Where to go on after what was read so far, also in another process: the parameter `after`. Undefined before anything was read. */
  get resumeAfter(): string | undefined {
    return this.#resumeAfter;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Result, void, undefined> {
    const { read, maxRetries, signal } = this.#source;
    let failures = 0;
    for (;;) {
      const connection = new Connection(signal);
      try {
        for await (const { result, resumeAfter } of connection.messages(this.#source, this.#resumeAfter)) {
          failures = 0;
          // Before the result is handed out: whoever handles it may ask where to go on.
          this.#resumeAfter = resumeAfter ?? this.#resumeAfter;
          if (result !== undefined) {
            yield read(result);
          }
        }
        throw new ByondError("The server ended the stream.", { code: "connection_failed" });
      } catch (error) {
        signal?.throwIfAborted();
        if (failures >= maxRetries || !canGoOn(error)) {
          throw error;
        }
        await sleep(pauseMs(error, failures), signal ?? new AbortController().signal);
        failures++;
      } finally {
        connection.close();
      }
    }
  }
}

/** Whether another connection may do what this one did not. One that could not be opened in time says nothing about the next. */
function canGoOn(error: unknown): error is ByondError {
  return isWorthRetrying(error, { isRepeatable: true }) || (error instanceof ByondError && error.code === "timed_out");
}

/** A connection, which ends with the caller's signal, and by itself when it is silent for too long. */
class Connection {
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #follow = () => this.#controller.abort(this.#signal?.reason);
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#follow, { once: true });
  }

  async *messages(
    { open }: Pick<StreamSource<unknown>, "open">,
    resumeAfter: string | undefined,
  ): AsyncGenerator<StreamMessage> {
    this.#signal?.throwIfAborted();
    const messages = await open(resumeAfter, this.#controller.signal);
    this.#expectMore();
    for await (const message of messages) {
      // The time that the reader takes is not the connection's silence.
      clearTimeout(this.#silence);
      yield message;
      this.#expectMore();
    }
  }

  #expectMore(): void {
    const silent = () =>
      this.#controller.abort(
        new ByondError(`Nothing came for ${silenceMs / 1_000} seconds.`, { code: "connection_failed" }),
      );
    this.#silence = setTimeout(silent, silenceMs);
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#signal?.removeEventListener("abort", this.#follow);
    this.#controller.abort();
  }
}
