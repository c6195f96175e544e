/** The rules of suppressions that have a number. `test/capabilities/policy.test.ts` compares the schema with them. */
import type { ChannelName } from "../channels/outgoing-message.ts";

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** `SUPPRESSION_DAYS`: 0 refuses no start. */
export const suppressionDays = { min: 0, max: 3_650, default: 30 } as const;

/** Anybody may install WhatsApp tomorrow; a mailbox that does not exist, or a landline, seldom changes. */
const maxWhatsappDays = 1;

/** For how many days a recipient is suppressed on a channel. */
export function daysOn(channel: ChannelName, days: number): number {
  return channel === "whatsapp" ? Math.min(days, maxWhatsappDays) : days;
}

/** SQL of the same, of a row's channel. */
export const daysOnChannel = (days: string) =>
  `(CASE channel WHEN 'whatsapp' THEN least(${days}, ${maxWhatsappDays}) ELSE ${days} END * interval '1 day')`;
