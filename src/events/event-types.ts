import { getOption, hasOption } from "@bufbuild/protobuf";
import { word } from "../../gen/byond/v1/access_pb.ts";
import { EventType, EventTypeSchema } from "../../gen/byond/v1/event_type_pb.ts";

/** The type as it is stored, which is how REST writes it. Undefined for `EVENT_TYPE_UNSPECIFIED`. */
export function storedType(type: EventType): string | undefined {
  const value = EventTypeSchema.value[type];
  return value !== undefined && hasOption(value, word) ? getOption(value, word) : undefined;
}

const typeByWord = new Map(Object.values(EventType).map((type) => [storedType(type), type]));

/** The type of a stored one; `EVENT_TYPE_UNSPECIFIED` for one that this server does not know. */
export function eventTypeOf(stored: string): EventType {
  return typeByWord.get(stored) ?? EventType.UNSPECIFIED;
}
