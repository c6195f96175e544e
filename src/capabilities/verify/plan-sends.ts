import { problemOf } from "../../errors.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { formOf, parseRecipient, type Recipient } from "./recipient.ts";

/** A step of the `fallback` of a start, as the call names it. */
export interface FallbackInput {
  /** Undefined: not a channel of the schema, which is a problem of its own. */
  readonly channel: ChannelName | undefined;
  /** Undefined: the recipient that the start or another step has for this channel. */
  readonly recipient: string | undefined;
  readonly afterSeconds: number;
}

/** A channel and recipient to which the code of a start can go: the start's own, or those of a step of its fallback. */
export interface SendTarget {
  readonly channel: ChannelName;
  readonly recipient: Recipient;
  /** The field of the call that names the recipient. */
  readonly recipientField: string;
  /** How long the message before is waited for. 0: the start's own. */
  readonly afterSeconds: number;
}

interface StartTarget {
  readonly channel: ChannelName;
  readonly recipient: string;
  readonly fallback?: readonly FallbackInput[];
}

interface PlannedSends {
  /** The start's own, and then those of its fallback that have no problem. */
  readonly targets: readonly SendTarget[];
  /** The recipient of the other form, mail or phone, that a step names. */
  readonly second: Recipient | undefined;
  /** By field. */
  readonly problems: Readonly<Record<string, string>>;
}

/**
 * The ways that the code of a start can take, in their order. A verification has at most one recipient of each form (decision 15), so that each
 * channel occurs once: a second message over the same channel would go to the same recipient, for which there is `resend`.
 */
export function planSends({ channel, recipient, fallback = [] }: StartTarget): PlannedSends {
  const problems: Record<string, string> = {};
  const own = parseRecipient(channel, recipient);
  const known: KnownRecipients = {};
  if ("problem" in own) {
    problems.recipient = own.problem;
  } else {
    known[formOf(channel)] = { recipient: own, recipientField: "recipient" };
  }
  for (const [index, step] of fallback.entries()) {
    const field = `fallback[${index}].recipient`;
    Object.assign(problems, problemOf(field, addRecipient(known, step, field)));
  }
  const channels = new Set([channel]);
  const targets = "problem" in own ? [] : [{ channel, recipient: own, recipientField: "recipient", afterSeconds: 0 }];
  for (const [index, { channel: other, recipient: named, afterSeconds }] of fallback.entries()) {
    if (other === undefined) {
      continue;
    }
    const isRepeated = channels.has(other);
    const found = known[formOf(other)];
    if (isRepeated) {
      problems[`fallback[${index}].channel`] = "must be a channel that neither the start nor a step before has";
    } else if (found !== undefined) {
      targets.push({ channel: other, ...found, afterSeconds });
    } else if (named === undefined && formOf(other) !== formOf(channel)) {
      problems[`fallback[${index}].recipient`] = "is required for this channel";
    }
    channels.add(other);
  }
  return { targets, second: known[formOf(channel) === "mail" ? "phone" : "mail"]?.recipient, problems };
}

type KnownRecipients = {
  [Form in ReturnType<typeof formOf>]?: Pick<SendTarget, "recipient" | "recipientField">;
};

/** Adds the recipient that a step names. Returns the problem of one that is malformed, or not the one that is known. */
function addRecipient(
  known: KnownRecipients,
  { channel, recipient }: FallbackInput,
  recipientField: string,
): string | undefined {
  if (channel === undefined || recipient === undefined) {
    return undefined;
  }
  const named = parseRecipient(channel, recipient);
  if ("problem" in named) {
    return named.problem;
  }
  const first = known[formOf(channel)];
  known[formOf(channel)] ??= { recipient: named, recipientField };
  return first === undefined || first.recipient.exact === named.exact
    ? undefined
    : "must be the recipient of the start or of the step before";
}
