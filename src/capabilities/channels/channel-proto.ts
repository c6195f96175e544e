import { Channel as ChannelEnum } from "../../../gen/byond/v1/verify_pb.ts";
import { type ChannelName, channelNames } from "./outgoing-message.ts";

/** The enum value of each channel. */
export const channelEnums = {
  sms: ChannelEnum.SMS,
  voice: ChannelEnum.VOICE,
  whatsapp: ChannelEnum.WHATSAPP,
  email: ChannelEnum.EMAIL,
} as const satisfies Record<ChannelName, ChannelEnum>;

const channelByEnum: ReadonlyMap<ChannelEnum, ChannelName> = new Map(
  channelNames.map((channel) => [channelEnums[channel], channel]),
);

/** The channel of an enum value. Undefined for `CHANNEL_UNSPECIFIED` and for unknown numbers. */
export function findChannel(value: ChannelEnum): ChannelName | undefined {
  return channelByEnum.get(value);
}

/** The channel of an enum value in a message that passed validation. */
export function channelOf(value: ChannelEnum): ChannelName {
  const channel = findChannel(value);
  if (channel === undefined) {
    throw new TypeError(`channel ${value} passed validation`);
  }
  return channel;
}
