import type { Clock } from "../clock.ts";
import type { Channel, ChannelName, CodeMessage } from "./outgoing-message.ts";
import { renderMail } from "./templates/mail.ts";
import { textsFor } from "./templates/message-texts.ts";
import { minutesLeft } from "./templates/minutes-left.ts";

/** A message as the local inbox shows it. */
export interface InboxMessage {
  readonly id: string;
  readonly channel: ChannelName;
  readonly recipient: string;
  /** Of a mail only. */
  readonly subject: string | null;
  readonly text: string;
  /** Of a mail only. */
  readonly html: string | null;
  readonly created_at: string;
}

const capacity = 100;

/**
 * Where messages land that do not leave the server: those of the sandbox, and, while no provider is configured, those of a
 * server on its owner's machine. In memory; the newest hundred.
 */
export class Inbox implements Channel {
  readonly name = "inbox";
  readonly #clock: Pick<Clock, "now">;
  #messages: readonly InboxMessage[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Keeps a message. One that is there already, by its id, is kept once. */
  add(id: string, message: CodeMessage): void {
    if (this.#messages.some((known) => known.id === id)) {
      return;
    }
    const now = this.#clock.now();
    const entry: InboxMessage = {
      id,
      channel: message.channel,
      recipient: message.recipient,
      ...this.#render(message, now),
      // RFC 3339 in whole seconds, as everywhere in the REST interface.
      created_at: now.toISOString().replace(/\.\d+Z$/, "Z"),
    };
    this.#messages = [entry, ...this.#messages].slice(0, capacity);
  }

  /** Newest first. */
  list(): readonly InboxMessage[] {
    return this.#messages;
  }

  async send(message: CodeMessage, options: { readonly idempotencyKey: string }) {
    this.add(options.idempotencyKey, message);
    return { kind: "sent", providerMessageId: options.idempotencyKey } as const;
  }

  #render(message: CodeMessage, now: Date): Pick<InboxMessage, "subject" | "text" | "html"> {
    if (message.channel === "email") {
      return renderMail(message, now);
    }
    const minutes = minutesLeft(message.expiresAt, now);
    return { subject: null, text: textsFor(message.locale).short(message.brand, message.code, minutes), html: null };
  }
}
