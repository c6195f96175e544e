import type { Registry } from "prom-client";
import { LocalState } from "./shared-state.ts";
import type { Siblings } from "./worker-channel.ts";

/** What a server of one process shares: everything is in its own memory. */
export function onlyProcess(): Siblings {
  let metrics: Registry | undefined;
  return {
    count: 1,
    state: new LocalState(),
    shareMetrics(own) {
      metrics = own;
    },
    async readMetrics() {
      return (await metrics?.metrics()) ?? "";
    },
  };
}
