import type { ChannelName } from "../channels/outgoing-message.ts";
import { sandboxOutcome } from "../channels/sandbox-recipients.ts";
import type { Send } from "./define-send-step.ts";

/** Whether the code expires when it is made. */
export function expiresAtOnce({ mode, recipient }: Pick<Send, "mode" | "recipient">, channel: ChannelName): boolean {
  return mode === "test" && sandboxOutcome(channel, recipient.address) === "expired";
}
