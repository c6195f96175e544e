import type { Clock } from "../../../clock.ts";
import type { Channel } from "../outgoing-message.ts";
import { sandboxDelaySeconds, sandboxOutcome } from "../sandbox-recipients.ts";
import type { Inbox } from "./inbox.ts";

/**
 * Takes the messages of sandbox keys, which never leave the server: they land in the inbox, or are dropped on a server without
 * one. Some recipients have an outcome of their own (`sandbox-recipients.ts`).
 */
export function createSandboxChannel(clock: Pick<Clock, "now">, inbox: Inbox | undefined): Channel {
  return {
    name: "sandbox",
    async send(message, { idempotencyKey }) {
      switch (sandboxOutcome(message.channel, message.recipient)) {
        case "undeliverable":
          return {
            kind: "failed",
            reason: "the sandbox's recipient is undeliverable",
            provider: "works",
            undeliverable: true,
          };
        case "slow": {
          const dueMs = message.createdAt.getTime() + sandboxDelaySeconds * 1_000;
          const afterMs = dueMs - clock.now().getTime();
          if (afterMs > 0) {
            return { kind: "retry", reason: "the sandbox's recipient is slow", provider: "works", afterMs };
          }
        }
      }
      await inbox?.add(idempotencyKey, message);
      return { kind: "sent", providerMessageId: idempotencyKey };
    },
  };
}
