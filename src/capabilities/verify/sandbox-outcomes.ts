import { recipientUndeliverable } from "../../errors.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { sandboxOutcome } from "../channels/sandbox-recipients.ts";
import { defineSendStep, type Send } from "./define-send-step.ts";

/** Whether the code expires when it is made. */
export function expiresAtOnce({ mode, recipient }: Pick<Send, "mode" | "recipient">, channel: ChannelName): boolean {
  return mode === "test" && sandboxOutcome(channel, recipient.address) === "expired";
}

/** Refuses to send a code to a recipient that is blocked in the sandbox, as it is done with a suppressed one. */
export const refuseBlocked = defineSendStep({
  name: "sandbox_recipient",
  parameters: {},
  isNeeded: ({ mode, channel, recipient, message }) =>
    mode === "test" && message !== undefined && sandboxOutcome(channel, recipient.address) === "blocked",
  values: () => ({}),
  sql: () => ({ passed: "false" }),
  refusal: () => recipientUndeliverable("the sandbox's recipient is blocked"),
});
