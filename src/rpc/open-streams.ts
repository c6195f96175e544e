import type { HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { clientAddressKey, limitKeyOf, networkOf } from "../server/client-address.ts";

export interface OpenStreamsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly max: number;
  /** From one IPv4 address, or one IPv6 /64. */
  readonly maxPerSource: number;
  readonly maxAgeMs: number;
}

export interface OpenStream extends Disposable {
  /** Aborts when the stream is over or has reached its maximum age. */
  readonly signal: AbortSignal;
}

const agesCheckedEveryMs = 1_000;

interface Place {
  readonly source: string;
  readonly network: string;
  readonly endsAtMs: number;
}

/**
 * Limits long-lived streams that need no credential: their number, in total and per source, and their age. When all places are
 * taken, a new stream ends the oldest one of the network with the most, if that network then still has at least as many as the
 * newcomer's. So nobody keeps others out with many sources of one network, and two networks cannot keep ending each other's
 * streams.
 */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #countBySource = new Counts();
  /** The oldest first. A stream that was told to end keeps its place until it has ended. */
  readonly #open = new Map<AbortController, Place>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  /** Takes a place for a stream until it ends or is disposed of. Throws `rate_limited` if there is none. */
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
      throw new AppError("rate_limited", "Too many streams of this RPC are open. Close one, or try again later.", {
        retryAfterSeconds: 60,
      });
    }
    const end = new AbortController();
    this.#open.set(end, place);
    this.#countBySource.add(place.source, 1);
    const leave = () => {
      this.#leave(end);
      end.abort();
    };
    // A stream may never finish by itself after its client has left.
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

  /** Ends the oldest stream of the network with the most. False if that network has at most one more than the newcomer's. */
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

  /** Ends streams that are too old. Their places are free once they have ended. */
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
