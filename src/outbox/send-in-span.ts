import { runInSpan } from "../observe/active-span.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { OutboxItem } from "./outbox.ts";
import type { SendResult, Settled } from "./send-result.ts";

/**
 * Makes an attempt at a message as a span of the trace that wrote it, whichever server makes it. The names of attributes are those of the
 * conventions for messaging, as far as they have any. What a provider answered is not among them: it may repeat the recipient.
 */
export async function sendInSpan(
  tracing: Tracing,
  item: OutboxItem,
  send: () => Promise<SendResult | Settled>,
): Promise<SendResult | Settled> {
  // The lanes of a group are named after receivers: there are as many as customers make.
  const queue = item.lane.split("/", 1)[0] ?? "";
  const span = tracing.begin({
    name: `deliver ${queue}`,
    kind: "consumer",
    traceParent: item.traceParent ?? undefined,
    attributes: {
      "messaging.system": "byond",
      "messaging.operation.name": "deliver",
      "messaging.operation.type": "process",
      "messaging.destination.name": queue,
      "messaging.message.id": item.id,
      "byond.delivery.kind": item.kind,
      "byond.delivery.attempt": item.attempts + 1,
    },
  });
  try {
    const result = await runInSpan(span, send);
    const provider = result.kind === "settled" ? undefined : result.providerName;
    span.set({ "byond.delivery.outcome": result.kind, "byond.delivery.provider": provider });
    if (result.kind === "retry" || result.kind === "failed") {
      span.fail(result.kind);
    }
    return result;
  } finally {
    span.end();
  }
}
