import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import type { Clock } from "../clock.ts";
import { OpenStreams } from "./open-streams.ts";

const watchIntervalMs = 2_000;
/** A client that goes on watching does so again: its library sees the end as it sees that of any connection. */
const maxWatchAgeMs = 60 * 60_000;
const maxWatches = 500;
const maxWatchesPerSource = 50;

export interface GrpcHealthOptions {
  readonly serviceNames: readonly string[];
  readonly isReady: () => Promise<boolean>;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** From then on `isReady` answers no: the watches are told at once. */
  readonly draining: AbortSignal;
  /** Ends the watches. */
  readonly closing: AbortSignal;
}

/**
 * The gRPC health checking protocol (grpc.health.v1), for load balancers that speak gRPC: what `/readyz` says, for the
 * server as a whole (the empty name) and for each of its services alike. Anybody may ask: there is one look at the status
 * for all watches, and a bounded number of them, each for an hour at most.
 */
export function grpcHealth({
  serviceNames,
  isReady,
  clock,
  draining,
  closing,
}: GrpcHealthOptions): ServiceImpl<typeof Health> {
  const known = new Set(["", ...serviceNames]);
  const status = async () => ((await isReady()) ? Status.SERVING : Status.NOT_SERVING);
  const watches = new OpenStreams({
    clock,
    max: maxWatches,
    maxPerSource: maxWatchesPerSource,
    maxAgeMs: maxWatchAgeMs,
  });
  const ticker = new Ticker();
  draining.addEventListener("abort", () => ticker.tick(), { once: true });
  return {
    async check({ service }) {
      if (!known.has(service)) {
        throw new ConnectError("there is no such service", Code.NotFound);
      }
      return { status: await status() };
    },

    async list() {
      const current = await status();
      return { statuses: Object.fromEntries(Array.from(known, (name) => [name, { status: current }])) };
    },

    /** Sends the status at once and whenever it changes. An unknown service may still come: it is no error here. */
    async *watch({ service }, context) {
      using stream = watches.enter(context);
      const signal = AbortSignal.any([stream.signal, closing]);
      let last: Status | undefined;
      while (!signal.aborted) {
        const current = known.has(service) ? await status() : Status.SERVICE_UNKNOWN;
        if (current !== last) {
          last = current;
          yield { status: current };
        }
        await ticker.next(signal);
      }
      if (closing.aborted && last === Status.SERVING) {
        yield { status: Status.NOT_SERVING };
      }
      // Only a stream that the server ends is complete: one whose deadline has passed says so.
      context.signal.throwIfAborted();
    },
  };
}

/** Wakes all that wait, together, every now and then. Without anybody who waits there is no timer. */
class Ticker {
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Resolves with the next tick, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener("abort", wake);
      this.#waiting.add(wake);
      this.#timer ??= setTimeout(() => this.tick(), watchIntervalMs).unref();
    });
  }

  /** Wakes them now. */
  tick(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const wake of [...this.#waiting]) {
      wake();
    }
  }
}
