import type { HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { clientAddressKey, limitKeyOf, networkOf } from "../server/client-address.ts";

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

interface Place {
  readonly source: string;
  readonly network: string;
  readonly endsAtMs: number;
}

/**
 * Bounds the streams that anybody may open and that last: their number, in all and by source, and their age. When all places are
 * taken, a newcomer takes the oldest of the network that has most, if that is left with no fewer than the newcomer's: nobody keeps
 * others out with many sources of one network, and no two networks take places from each other in turns.
 */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #countBySource = new Counts();
  /** The oldest first. A stream that was told to end keeps its place until it has. */
  readonly #open = new Map<AbortController, Place>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  /** Takes a place for a stream until it ends, or is disposed of. Throws `rate_limited` if there is none. */
  enter(context: Pick<HandlerContext, "values" | "signal">): OpenStream {
    const { clock, max, maxPerSource, maxAgeMs } = this.#options;
    const address = context.values.get(clientAddressKey);
    const place = {
      source: limitKeyOf(address),
      network: networkOf(address),
      endsAtMs: clock.monotonicMs() + maxAgeMs,
    };
    const hasPlace = this.#countBySource.of(place.source) < maxPerSource && this.#open.size < 2 * max;
    if (!hasPlace || (this.#open.size >= max && !this.#replaceFor(place.network))) {
      throw new AppError("rate_limited", "Too many of these streams are open.", { retryAfterSeconds: 60 });
    }
    const end = new AbortController();
    this.#open.set(end, place);
    this.#countBySource.add(place.source, 1);
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
    this.#countBySource.add(stream.source, -1);
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Ends the oldest stream of the network that has most. False if that has hardly more than the newcomer's. */
  #replaceFor(newcomer: string): boolean {
    const countByNetwork = new Counts();
    for (const { network } of this.#open.values()) {
      countByNetwork.add(network, 1);
    }
    const most = Math.max(...countByNetwork.values());
    if (most < countByNetwork.of(newcomer) + 2) {
      return false;
    }
    for (const [end, { network }] of this.#open) {
      if (!end.signal.aborted && countByNetwork.of(network) === most) {
        end.abort();
        return true;
      }
    }
    return false;
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

class Counts {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  values(): Iterable<number> {
    return this.#counts.values();
  }

  add(key: string, change: 1 | -1): void {
    const count = this.of(key) + change;
    if (count === 0) {
      this.#counts.delete(key);
    } else {
      this.#counts.set(key, count);
    }
  }
}
