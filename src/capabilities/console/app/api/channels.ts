import { Channel } from "#gen/byond/v1/verify_pb.ts";

/** The channels: as an address names them, as a person reads them, and as the schema has them. */
export const channels = [
  ["email", "E-mail", Channel.EMAIL],
  ["sms", "SMS", Channel.SMS],
  ["whatsapp", "WhatsApp", Channel.WHATSAPP],
  ["voice", "Voice", Channel.VOICE],
] as const;

/** For a filter of a list. */
export const channelOptions = [["", "All channels"], ...channels.map(([name, text]) => [name, text] as const)] as const;

export function channelText(channel: Channel): string {
  return channels.find(([, , value]) => value === channel)?.[1] ?? "Unknown";
}
