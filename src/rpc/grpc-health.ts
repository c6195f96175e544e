import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import type { Clock } from "../clock.ts";
import { OpenStreams } from "./open-streams.ts";

const watchIntervalMs = 2_000;
/** Clients simply watch again: to their library, the end looks like that of any connection. */
const maxWatchAgeMs = 60 * 60_000;
const maxWatches = 500;
const maxWatchesPerSource = 50;

export interface GrpcHealthOptions {
  readonly serviceNames: readonly string[];
  readonly isReady: () => Promise<boolean>;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** When it aborts, `isReady` returns false, and the watches are notified at once. */
  readonly draining: AbortSignal;
  /** Ends all watches when it aborts. */
  readonly closing: AbortSignal;
}

/**
 * The gRPC health checking protocol (grpc.health.v1), for load balancers that speak gRPC. It reports the status of `/readyz`,
 * the same for the whole server (the empty name) and for each service. No credential is needed, so the cost is bounded: all
 * watches share one check of the status, their number is limited, and each lasts an hour at most.
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

    /**
     * Sends the status at once and whenever it changes. An unknown service is not an error: the protocol allows for services
     * that are added later.
     */
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
      // A stream that the server ends is complete. One whose deadline has passed ends with that error.
      context.signal.throwIfAborted();
    },
  };
}

/** Wakes all waiting watches together, at an interval. No timer runs while none is waiting. */
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

  /** Wakes them all now. */
  tick(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const wake of [...this.#waiting]) {
      wake();
    }
  }
}
