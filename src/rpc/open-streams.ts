import type { HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { clientAddressKey, limitKeyOf } from "./access/client-address.ts";

export interface OpenStreamsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly max: number;
  /** From one address, or one /64. */
  readonly maxPerSource: number;
  readonly maxAgeMs: number;
}

export interface OpenStream extends Disposable {
  /** Aborts when the stream is over, or as old as streams get. */
  readonly signal: AbortSignal;
}

const agesCheckedEveryMs = 1_000;

/** Bounds the streams that anybody may open and that last: their number, in all and by source, and their age. */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #countBySource = new Map<string, number>();
  /** The oldest first. */
  readonly #open = new Map<AbortController, { readonly source: string; readonly endsAtMs: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  /** Takes a place for a stream until it ends, or is disposed of. Throws `rate_limited` if there is none. */
  enter(context: Pick<HandlerContext, "values" | "signal">): OpenStream {
    const { clock, max, maxPerSource, maxAgeMs } = this.#options;
    const source = limitKeyOf(context.values.get(clientAddressKey));
    const ofSource = this.#countBySource.get(source) ?? 0;
    if (this.#open.size >= max || ofSource >= maxPerSource) {
      throw new AppError("rate_limited", "Too many of these streams are open.", { retryAfterSeconds: 60 });
    }
    const end = new AbortController();
    this.#open.set(end, { source, endsAtMs: clock.monotonicMs() + maxAgeMs });
    this.#countBySource.set(source, ofSource + 1);
    const leave = () => {
      this.#leave(end);
      end.abort();
    };
    // A stream whose client has gone need not come to its own end.
    context.signal.addEventListener("abort", leave, { once: true });
    if (context.signal.aborted) {
      leave();
    }
    this.#timer ??= setInterval(() => this.#endOld(), agesCheckedEveryMs).unref();
    return { signal: end.signal, [Symbol.dispose]: leave };
  }

  #leave(end: AbortController): void {
    const stream = this.#open.get(end);
    if (stream === undefined) {
      return;
    }
    this.#open.delete(end);
    const left = (this.#countBySource.get(stream.source) ?? 1) - 1;
    if (left === 0) {
      this.#countBySource.delete(stream.source);
    } else {
      this.#countBySource.set(stream.source, left);
    }
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Its place is free when the stream has ended, not before. */
  #endOld(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [end, { endsAtMs }] of this.#open) {
      if (endsAtMs > nowMs) {
        return;
      }
      end.abort();
    }
  }
}
