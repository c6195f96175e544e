import type { ChannelName } from "./outgoing-message.ts";

/** What happens to a message of a sandbox key, or to its verification. */
export type SandboxOutcome = "delivered" | "no_whatsapp" | "undeliverable" | "slow" | "blocked" | "expired";

/** The recipients of one outcome. `test-mode.md` has them as a table, which a test compares. */
export interface SandboxRecipients {
  readonly outcome: SandboxOutcome;
  /** The local part of the addresses under `example.com`: by itself, or before a `-` or a `+`. Undefined: there is none. */
  readonly mailbox: string | undefined;
  /** The last digit but one of the numbers of the pools. */
  readonly lastTens: readonly number[];
}

/** Each pool has hundreds of numbers of each outcome, or as many as area codes, because a number gets a code a minute. */
export const sandboxRecipients: readonly SandboxRecipients[] = [
  { outcome: "delivered", mailbox: "delivered", lastTens: [0, 1, 2, 3, 9] },
  { outcome: "no_whatsapp", mailbox: undefined, lastTens: [4] },
  { outcome: "undeliverable", mailbox: "undeliverable", lastTens: [5] },
  { outcome: "slow", mailbox: "slow", lastTens: [6] },
  { outcome: "blocked", mailbox: "blocked", lastTens: [7] },
  { outcome: "expired", mailbox: "expired", lastTens: [8] },
];

/** How long the message to a slow recipient takes. */
export const sandboxDelaySeconds = 10;

/**
 * Numbers that reach nobody: two Nigerian ranges that are kept for tests, and those of North America that are kept for fiction
 * (555-0100 to 555-0199 of each area code).
 */
const pools = /^(?:\+234[18]00000\d{4}|\+1[2-9]\d{2}55501\d{2})$/;

/** Whether a number in E.164 form is one of those whose outcomes are documented. */
export function isSandboxNumber(e164: string): boolean {
  return pools.test(e164);
}

/**
 * The outcome of a recipient in the sandbox, given a number in E.164 form or a mail address. Other recipients than those of the
 * table get their messages at once.
 */
export function sandboxOutcome(channel: ChannelName, address: string): SandboxOutcome {
  const recipients = sandboxRecipients.find((entry) =>
    channel === "email" ? hasMailbox(entry, address) : hasNumber(entry, address),
  );
  const outcome = recipients?.outcome ?? "delivered";
  if (outcome === "no_whatsapp") {
    return channel === "whatsapp" ? "undeliverable" : "delivered";
  }
  return outcome;
}

function hasMailbox({ mailbox }: SandboxRecipients, address: string): boolean {
  const [, local] = /^(.*)@example\.com$/i.exec(address) ?? [];
  return mailbox !== undefined && local?.toLowerCase().split(/[-+]/)[0] === mailbox;
}

function hasNumber({ lastTens }: SandboxRecipients, e164: string): boolean {
  return isSandboxNumber(e164) && lastTens.includes(Number(e164.at(-2)));
}
