import type { Clock } from "../../clock.ts";
import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import type { ConnectedProviders } from "./connect-providers.ts";
import { createEmailChannel, type EmailOptions } from "./email/email.ts";
import type { Inbox } from "./inbox/inbox.ts";
import { createSandboxChannel } from "./inbox/sandbox-channel.ts";
import { type Channel, type ChannelName, type CodeMessage, channelNames } from "./outgoing-message.ts";
import type { RenderedMail } from "./texts/rendered-mail.ts";
import { createWhatsappChannel, type WhatsappOptions } from "./whatsapp/whatsapp.ts";

export interface ChannelsOptions {
  readonly clock: Pick<Clock, "now">;
  readonly smtp?: Omit<EmailOptions, "maxConnections"> | undefined;
  readonly whatsapp?: WhatsappOptions | undefined;
  /** Present: Meta reports the deliveries of WhatsApp messages. */
  readonly whatsappWebhook?: object | undefined;
  readonly sms?: Provided | undefined;
  readonly voice?: Provided | undefined;
  /** Receives messages of sandbox keys. Undefined: they are dropped and count as sent. */
  readonly sandbox?: Inbox | undefined;
  /** Receives live mail and WhatsApp messages if they have no provider. Undefined: these channels are unavailable then. */
  readonly substitute?: Inbox | undefined;
}

/** A channel over the providers of the settings. */
type Provided = Pick<ConnectedProviders, "channel" | "places">;

type Mode = CodeMessage["mode"];

/** Sends messages over the channels of this server. */
export interface Channels {
  /** Whether the channel can send. If not, `send` returns `failed`. */
  isAvailable(channel: ChannelName, mode: Mode): boolean;
  /** Whether live messages of the channel really leave the server. The inbox is no provider. */
  hasProvider(channel: ChannelName): boolean;
  send(message: CodeMessage, options: SendOptions): Promise<SendResult>;
  /** Makes one attempt to send a mail without a code. Without a mail server it returns `failed`. */
  sendMail(recipient: string, mail: RenderedMail, options: SendOptions): Promise<SendResult>;
  /** Messages sent at the same time, by lane of the outbox. */
  readonly lanes: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** Messages sent at the same time. Without providers, the lanes of text messages and calls have places for what was queued before. */
const emailPlaces = 10;
const whatsappPlaces = 20;
const placesWithoutProvider = 20;

/** Nobody's connections are taken by messages of the sandbox. Those that have no place wait, and are asked for before they leave. */
const sandboxPlaces = 100;

/** The lane of a message. Sandbox messages have a lane of their own, so that a failing provider does not delay them. */
export function laneOf(channel: ChannelName, mode: Mode): string {
  return mode === "test" ? `sandbox-${channel}` : channel;
}

/** The channel of a lane; undefined for lanes of other kinds of message. */
export function channelOfLane(lane: string): ChannelName | undefined {
  return channelNames.find((channel) => lane === channel || lane === laneOf(channel, "test"));
}

/**
 * Connects each channel with its provider. Without one, mail and WhatsApp go to the substitute; text messages and
 * calls are unavailable. Messages of sandbox keys never leave the server.
 */
export function createChannels(options: ChannelsOptions): Channels {
  const { clock, substitute, smtp, whatsapp, sms, voice } = options;
  const sandbox = createSandboxChannel(clock, options.sandbox);
  const mail = smtp && createEmailChannel({ ...smtp, maxConnections: emailPlaces }, clock);
  const reportsDeliveries = options.whatsappWebhook !== undefined;
  const live: Readonly<Record<ChannelName, Channel | undefined>> = {
    email: mail ?? substitute,
    whatsapp: whatsapp === undefined ? substitute : createWhatsappChannel({ ...whatsapp, reportsDeliveries }),
    sms: sms?.channel,
    voice: voice?.channel,
  };
  const places: Readonly<Record<ChannelName, number>> = {
    email: emailPlaces,
    whatsapp: whatsappPlaces,
    sms: sms?.places ?? placesWithoutProvider,
    voice: voice?.places ?? placesWithoutProvider,
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
      // Such messages can be queued from before the settings were changed.
      return channel === undefined
        ? { kind: "failed", reason: "the channel has no provider", provider: "unknown" }
        : named(channel, await channel.send(message, sendOptions));
    },
    async sendMail(recipient, rendered, sendOptions) {
      return mail === undefined
        ? { kind: "failed", reason: "the channel has no provider", provider: "unknown" }
        : named(mail, await mail.sendMail(recipient, rendered, sendOptions));
    },
    lanes: Object.fromEntries(
      channelNames.flatMap((channel) => [
        [laneOf(channel, "live"), places[channel]],
        [laneOf(channel, "test"), sandboxPlaces],
      ]),
    ),
    async close() {
      await Promise.all(Object.values(live).map((channel) => channel?.close?.()));
    },
  };
}

/** A result with the provider that it is of. */
function named({ name }: Channel, result: SendResult): SendResult {
  return name === undefined || result.kind === "withdrawn" ? result : { ...result, providerName: name };
}
