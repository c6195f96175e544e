import { TemplateChannel } from "#gen/byond/v1/template_pb.ts";

/** The channels that can have texts of one's own: as an address names them, as a person reads them, and as the schema has them. */
export const templateChannels = [
  ["email", "E-mail", TemplateChannel.EMAIL],
  ["sms", "SMS", TemplateChannel.SMS],
  ["voice", "Voice", TemplateChannel.VOICE],
] as const;

export function channelNameOf(channel: TemplateChannel): string {
  return templateChannels.find(([, , value]) => value === channel)?.[0] ?? "email";
}

export function channelTextOf(channel: TemplateChannel): string {
  return templateChannels.find(([, , value]) => value === channel)?.[1] ?? "Unknown";
}
