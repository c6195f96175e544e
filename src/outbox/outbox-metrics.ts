import { Gauge, Histogram, type Metric } from "prom-client";
import type { DispatcherOptions } from "./dispatcher.ts";
import { type ChannelDepth, OutboxDepth, type OutboxDepthOptions } from "./outbox-depth.ts";

/** What is known of messages, for `/metrics`. Lanes of a group count as their group: receivers can be as many as there are customers. */
export function outboxMetrics(options: OutboxDepthOptions): {
  readonly metrics: readonly Metric[];
  readonly onAttempt: NonNullable<DispatcherOptions["onAttempt"]>;
} {
  const depth = new OutboxDepth(options);
  const gauge = (name: string, help: string, read: (depth: ChannelDepth) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["channel"],
      // Each process reads the whole outbox.
      aggregator: "max",
      registers: [],
      async collect() {
        const depths = await depth.read();
        this.reset();
        for (const each of depths) {
          this.set({ channel: each.channel }, read(each));
        }
      },
    });
  const duration = new Histogram({
    name: "byond_delivery_duration_seconds",
    help: "Attempts to send messages, by how long they took, by channel, provider and outcome.",
    labelNames: ["channel", "provider", "outcome"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [],
  });
  return {
    metrics: [
      gauge(
        "byond_outbox_messages",
        "Messages that are not finished, by channel, on all servers together: 10,000 at most are counted.",
        ({ messages }) => messages,
      ),
      gauge(
        "byond_outbox_oldest_message_age_seconds",
        "How long ago the oldest message was written that is not finished, by channel. 0 if there is none.",
        ({ oldestSeconds }) => oldestSeconds,
      ),
      duration,
    ],
    onAttempt({ lane }, { kind, providerName = "none" }, tookMs) {
      const [channel = lane] = lane.split("/", 1);
      duration.observe({ channel, provider: providerName, outcome: kind }, tookMs / 1_000);
    },
  };
}
