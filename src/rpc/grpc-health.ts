import { setTimeout as wait } from "node:timers/promises";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";

const watchIntervalMs = 5_000;

/**
 * The gRPC health checking protocol (grpc.health.v1), for load balancers that speak gRPC: what `/readyz` says, for the
 * server as a whole (the empty name) and for each of its services alike. Watches end when the server closes.
 */
export function grpcHealth(
  serviceNames: readonly string[],
  isReady: () => Promise<boolean>,
  closing: AbortSignal,
): ServiceImpl<typeof Health> {
  const known = new Set(["", ...serviceNames]);
  const status = async () => ((await isReady()) ? Status.SERVING : Status.NOT_SERVING);
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
      const signal = AbortSignal.any([context.signal, closing]);
      let last: Status | undefined;
      while (!signal.aborted) {
        const current = known.has(service) ? await status() : Status.SERVICE_UNKNOWN;
        if (current !== last) {
          last = current;
          yield { status: current };
        }
        await wait(watchIntervalMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}
