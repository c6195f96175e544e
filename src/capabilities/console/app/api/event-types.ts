import { getOption } from "@bufbuild/protobuf";
import { word } from "#gen/byond/v1/access_pb.ts";
import { EventType, EventTypeSchema } from "#gen/byond/v1/event_type_pb.ts";
import type { BadgeTone } from "../components/status-badge.tsx";

/** All types with their words: `verification.started`. */
export const eventTypes: readonly { readonly type: EventType; readonly word: string }[] = EventTypeSchema.values
  .filter(({ number }) => number !== EventType.UNSPECIFIED)
  .map((value) => ({ type: value.number as EventType, word: getOption(value, word) }));

export function eventTypeWord(type: EventType): string {
  return eventTypes.find((known) => known.type === type)?.word ?? "unknown";
}

const tones: Readonly<Partial<Record<EventType, BadgeTone>>> = {
  [EventType.VERIFICATION_STARTED]: "info",
  [EventType.VERIFICATION_APPROVED]: "good",
  [EventType.VERIFICATION_DELIVERED]: "good",
  [EventType.VERIFICATION_DELIVERY_FAILED]: "bad",
  [EventType.VERIFICATION_LOCKED]: "bad",
  [EventType.VERIFICATION_EXPIRED]: "warn",
  [EventType.API_KEY_REVOKED]: "warn",
  [EventType.WEBHOOK_DISABLED]: "bad",
  [EventType.FIXED_CODE_CREATED]: "bad",
  [EventType.GUARD_BLOCK_STARTED]: "bad",
  [EventType.GUARD_REFUSAL_RECORDED]: "warn",
  [EventType.GUESSING_DETECTED]: "bad",
};

export function eventTypeTone(type: EventType): BadgeTone {
  return tones[type] ?? "neutral";
}
