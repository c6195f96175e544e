import type { CodeMessage } from "../../../src/capabilities/channels/outgoing-message.ts";

export const fixedNow = new Date("2026-03-01T12:00:00.000Z");

/** A code for a mailbox, unless said otherwise; it can be used for five minutes from `fixedNow`. */
export function codeMessage(overrides: Partial<CodeMessage> = {}): CodeMessage {
  return {
    workspaceId: "ws_1",
    channel: "email",
    recipient: "jane@example.com",
    code: "493817",
    brand: "Acme",
    createdAt: fixedNow,
    expiresAt: new Date(fixedNow.getTime() + 300_000),
    mode: "live",
    ...overrides,
  };
}
