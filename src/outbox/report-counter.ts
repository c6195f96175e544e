import { Counter } from "prom-client";
import type { Receipt, ReceiptSource } from "./delivery-receipts.ts";

/** Counts what providers report of messages that they took. */
export class ReportCounter {
  readonly metric = new Counter({
    name: "byond_delivery_reports_total",
    help: "Reports of providers about messages of this server's database, by channel, provider and state. Some report a state twice.",
    labelNames: ["channel", "provider", "state"],
    registers: [],
  });

  /** `known`: the ids of the messages that were found. */
  count({ lane, provider }: ReceiptSource, receipts: readonly Receipt[], known: ReadonlySet<string>): void {
    for (const { messageId, state } of receipts) {
      if (known.has(messageId)) {
        this.metric.inc({ channel: lane, provider, state });
      }
    }
  }
}
