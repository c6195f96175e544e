import type { Clock } from "../../../clock.ts";
import type { Channel, ChannelName, CodeMessage } from "../outgoing-message.ts";
import { renderMail } from "../texts/mails.ts";
import { minutesLeft, textsFor } from "../texts/message-texts.ts";

/** A message as `/dev/inbox` returns it. */
export interface InboxMessage {
  readonly id: string;
  readonly channel: ChannelName;
  readonly recipient: string;
  readonly code: string;
  /** Of a mail only. */
  readonly subject: string | null;
  readonly text: string;
  /** Of a mail only. */
  readonly html: string | null;
  readonly created_at: string;
}

/** The owner of a message, or of a key that reads messages. */
export interface InboxOwner {
  readonly workspaceId: string;
  readonly mode: CodeMessage["mode"];
}

const capacity = 100;

/** Stores the newest hundred messages that do not leave the server, in memory. */
export class Inbox implements Channel {
  readonly name = "inbox";
  readonly #clock: Pick<Clock, "now">;
  #messages: readonly { readonly owner: InboxOwner; readonly shown: InboxMessage }[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Adds a message. Does nothing if it has one with this id. */
  add(id: string, message: CodeMessage): void {
    if (this.#messages.some(({ shown }) => shown.id === id)) {
      return;
    }
    const now = this.#clock.now();
    const shown: InboxMessage = {
      id,
      channel: message.channel,
      recipient: message.recipient,
      code: message.code,
      ...this.#render(message, now),
      // RFC 3339 in whole seconds, as everywhere in the REST interface.
      created_at: now.toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const owner = { workspaceId: message.workspaceId, mode: message.mode };
    this.#messages = [{ owner, shown }, ...this.#messages].slice(0, capacity);
  }

  /** The messages of one workspace and mode, newest first. */
  listOf({ workspaceId, mode }: InboxOwner): readonly InboxMessage[] {
    return this.#messages
      .filter(({ owner }) => owner.workspaceId === workspaceId && owner.mode === mode)
      .map(({ shown }) => shown);
  }

  /** All messages, including the server's own, newest first. */
  listAll(): readonly InboxMessage[] {
    return this.#messages.map(({ shown }) => shown);
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
