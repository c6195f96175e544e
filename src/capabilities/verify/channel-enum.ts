import { Channel as ChannelMessage } from "../../../gen/byond/v1/verify_pb.ts";
import { type ChannelName, channelNames } from "../channels/outgoing-message.ts";

const messages = {
  sms: ChannelMessage.SMS,
  voice: ChannelMessage.VOICE,
  whatsapp: ChannelMessage.WHATSAPP,
  email: ChannelMessage.EMAIL,
} as const satisfies Record<ChannelName, ChannelMessage>;

const byMessage: ReadonlyMap<ChannelMessage, ChannelName> = new Map(
  channelNames.map((channel) => [messages[channel], channel]),
);

export function channelMessage(channel: ChannelName): ChannelMessage {
  return messages[channel];
}

/** The channel that a message names. Undefined for `CHANNEL_UNSPECIFIED` and numbers that mean nothing. */
export function findChannel(message: ChannelMessage): ChannelName | undefined {
  return byMessage.get(message);
}

/** The channel of a message that passed validation. */
export function channelOf(message: ChannelMessage): ChannelName {
  const channel = findChannel(message);
  if (channel === undefined) {
    throw new TypeError(`channel ${message} passed validation`);
  }
  return channel;
}
