import type { Clock } from "../../clock.ts";
import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import { createEmailChannel, type EmailOptions } from "./email/email.ts";
import { createHttpProviderChannel } from "./http/http-provider.ts";
import type { Inbox } from "./inbox/inbox.ts";
import { type Channel, type ChannelName, type CodeMessage, channelNames } from "./outgoing-message.ts";
import type { RenderedMail } from "./texts/mails.ts";
import { createWhatsappChannel, type WhatsappOptions } from "./whatsapp/whatsapp.ts";

export interface ChannelsOptions {
  readonly clock: Pick<Clock, "now">;
  readonly smtp?: Omit<EmailOptions, "maxConnections"> | undefined;
  readonly whatsapp?: WhatsappOptions | undefined;
  readonly smsProviderUrl?: string | undefined;
  readonly voiceProviderUrl?: string | undefined;
  /** Signs the requests to both providers; without it there is neither. */
  readonly providerSecret?: string | undefined;
  /** Takes the sandbox's messages. Undefined: they are dropped, as if sent. */
  readonly sandbox?: Inbox | undefined;
  /** Takes live mail and WhatsApp messages without a provider. Undefined: they are unavailable. */
  readonly substitute?: Inbox | undefined;
}

type Mode = CodeMessage["mode"];

/** Every channel, and what carries it on this server. */
export interface Channels {
  /** Whether a message would be sent. If not, `send` fails it. */
  isAvailable(channel: ChannelName, mode: Mode): boolean;
  /** Whether a provider carries the channel's live messages to people: the local inbox does not. */
  hasProvider(channel: ChannelName): boolean;
  send(message: CodeMessage, options: SendOptions): Promise<SendResult>;
  /** Makes one attempt at a mail that is no code. Without a mail server it fails. */
  sendMail(recipient: string, mail: RenderedMail, options: SendOptions): Promise<SendResult>;
  /** What the worker's `lanes` are: messages at once, by lane. */
  readonly lanes: Readonly<Record<string, number>>;
  close(): void;
}

/** Messages at once, by channel. */
const placesOf: Readonly<Record<ChannelName, number>> = { email: 10, whatsapp: 20, sms: 20, voice: 20 };

/** The lane of a message: each channel has one, and one for its sandbox, which no provider's trouble holds up. */
export function laneOf(channel: ChannelName, mode: Mode): string {
  return mode === "test" ? `sandbox-${channel}` : channel;
}

/** The channel that a lane carries; undefined for lanes of other kinds of message. */
export function channelOfLane(lane: string): ChannelName | undefined {
  return channelNames.find((channel) => lane === channel || lane === laneOf(channel, "test"));
}

/**
 * Decides what carries each channel. Mail and WhatsApp go to their providers, else to the substitute; text messages and
 * calls have none. Messages of the sandbox never leave the server.
 */
export function createChannels(options: ChannelsOptions): Channels {
  const { clock, sandbox = nowhere, substitute, smtp, whatsapp, providerSecret: secret } = options;
  const provider = (url: string | undefined) =>
    url === undefined || secret === undefined ? undefined : createHttpProviderChannel({ url, secret }, clock);
  const mail = smtp && createEmailChannel({ ...smtp, maxConnections: placesOf.email }, clock);
  const live: Readonly<Record<ChannelName, Channel | undefined>> = {
    email: mail ?? substitute,
    whatsapp: whatsapp === undefined ? substitute : createWhatsappChannel(whatsapp),
    sms: provider(options.smsProviderUrl),
    voice: provider(options.voiceProviderUrl),
  };
  const channelFor = (channel: ChannelName, mode: Mode): Channel | undefined => {
    if (mode === "live") {
      return live[channel];
    }
    return channel === "email" || channel === "whatsapp" || live[channel] !== undefined ? sandbox : undefined;
  };
  return {
    isAvailable: (channel, mode) => channelFor(channel, mode) !== undefined,
    hasProvider: (channel) => live[channel] !== undefined && live[channel] !== substitute,
    async send(message, sendOptions) {
      const channel = channelFor(message.channel, message.mode);
      // A server whose settings changed may find messages that the old settings could send.
      return channel === undefined
        ? { kind: "failed", reason: "the channel has no provider", provider: "unknown" }
        : channel.send(message, sendOptions);
    },
    async sendMail(recipient, rendered, sendOptions) {
      return mail === undefined
        ? { kind: "failed", reason: "the channel has no provider", provider: "unknown" }
        : mail.sendMail(recipient, rendered, sendOptions);
    },
    lanes: Object.fromEntries(
      channelNames.flatMap((channel) => [
        [laneOf(channel, "live"), placesOf[channel]],
        [laneOf(channel, "test"), placesOf[channel]],
      ]),
    ),
    close() {
      for (const channel of Object.values(live)) {
        channel?.close?.();
      }
    },
  };
}

/** Takes what the sandbox sends on a server without an inbox. */
const nowhere: Channel = {
  name: "nowhere",
  send: async (_message, { idempotencyKey }) => ({ kind: "sent", providerMessageId: idempotencyKey }),
};
