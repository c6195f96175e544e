import type { Clock } from "../../../clock.ts";
import type { SharedState } from "../../../workers/shared-state.ts";
import type { Channel, ChannelName, CodeMessage } from "../outgoing-message.ts";
import { providerText, shortText } from "../provider-text.ts";
import { renderMail } from "../texts/mails.ts";

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

const messages = { name: "inbox", capacity: 100 };

/** Stores the newest hundred messages that do not leave the server, in memory: the same in every process of the server. */
export class Inbox implements Channel {
  readonly name = "inbox";
  readonly #clock: Pick<Clock, "now">;
  readonly #state: Pick<SharedState, "add" | "read">;

  constructor(clock: Pick<Clock, "now">, state: Pick<SharedState, "add" | "read">) {
    this.#clock = clock;
    this.#state = state;
  }

  /** Adds a message. Does nothing if it has one with this id. */
  async add(id: string, message: CodeMessage): Promise<void> {
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
    await this.#state.add(messages, id, { group: groupOf(message), text: JSON.stringify(shown) });
  }

  /** The messages of one workspace and mode, newest first. */
  async listOf(owner: InboxOwner): Promise<readonly InboxMessage[]> {
    return (await this.#state.read(messages, groupOf(owner))).map((text) => JSON.parse(text));
  }

  /** All messages, including the server's own, newest first. */
  async listAll(): Promise<readonly InboxMessage[]> {
    return (await this.#state.read(messages)).map((text) => JSON.parse(text));
  }

  async send(message: CodeMessage, options: { readonly idempotencyKey: string }) {
    await this.add(options.idempotencyKey, message);
    return { kind: "sent", providerMessageId: options.idempotencyKey } as const;
  }

  #render(message: CodeMessage, now: Date): Pick<InboxMessage, "subject" | "text" | "html"> {
    if (message.channel === "email") {
      const { subject, text, html } = renderMail(message, now);
      return { subject, text, html };
    }
    // A text message as it is sent, with the line for phones.
    const text = message.channel === "sms" ? providerText(message, now) : shortText(message, now);
    return { subject: null, text, html: null };
  }
}

function groupOf({ workspaceId, mode }: InboxOwner): string {
  return `${workspaceId} ${mode}`;
}
