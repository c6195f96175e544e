import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import { type DescField, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { isListWrapper, type JsonStyle, jsonEnumName, jsonFieldName } from "@byond/rest/json/json-style";

/**
 * What is typed for a field. An empty text, list or message is not sent. Text: scalars, timestamps (RFC 3339), and enum values by their name
 * in the schema. A list: of the elements, or of the `{ key, value }` of a map. A message that only wraps a list is the list.
 */
export type Draft = string | readonly Draft[] | DraftMessage;

/** What is typed for a message, by the names of its fields in the schema. */
export interface DraftMessage {
  readonly [field: string]: Draft;
}

/** The draft of a nested message. */
export function messageDraft(draft: Draft | undefined): DraftMessage {
  return isDraftMessage(draft) ? draft : {};
}

/** The draft of a list. */
export function listDraft(draft: Draft | undefined): readonly Draft[] {
  return isDraftList(draft) ? draft : [];
}

/** The draft of a scalar. */
export function textDraft(draft: Draft | undefined): string {
  return typeof draft === "string" ? draft : "";
}

function isDraftList(draft: Draft | undefined): draft is readonly Draft[] {
  return Array.isArray(draft);
}

function isDraftMessage(draft: Draft | undefined): draft is DraftMessage {
  return typeof draft === "object" && !isDraftList(draft);
}

/** The list that a message only wraps. */
export function wrappedList(message: DescMessage): DescField | undefined {
  return isListWrapper(message) ? message.fields[0] : undefined;
}

/** The JSON of a message, with the fields that are given. Values of the wrong type stay as they are typed: the server says what is wrong. */
export function messageToJson(message: DescMessage, draft: DraftMessage, style: JsonStyle): JsonObject {
  return Object.fromEntries(
    message.fields.flatMap((field) => {
      const json = fieldToJson(field, draft[field.name], style);
      return json === undefined ? [] : [[jsonFieldName(field, style), json]];
    }),
  );
}

/** The JSON of a field. Undefined if it is not given. */
function fieldToJson(field: DescField, draft: Draft | undefined, style: JsonStyle): JsonValue | undefined {
  switch (field.fieldKind) {
    case "map":
      return mapToJson(listDraft(draft).map(messageDraft));
    case "list":
      return notEmpty(listDraft(draft).flatMap((item) => elementToJson(field, item, style) ?? []));
    case "message":
      return nestedToJson(field.message, draft, style);
    default:
      return textToJson(field, textDraft(draft), style);
  }
}

function elementToJson(field: DescField, item: Draft, style: JsonStyle): JsonValue | undefined {
  return field.message
    ? messageToJson(field.message, messageDraft(item), style)
    : textToJson(field, textDraft(item), style);
}

function mapToJson(entries: readonly DraftMessage[]): JsonObject | undefined {
  const given = entries
    .map(({ key, value }) => [textDraft(key), textDraft(value)] as const)
    .filter(([key, value]) => key !== "" || value !== "");
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function nestedToJson(message: DescMessage, draft: Draft | undefined, style: JsonStyle): JsonValue | undefined {
  if (message.typeName === "google.protobuf.Timestamp") {
    return textDraft(draft) || undefined;
  }
  const list = wrappedList(message);
  if (list === undefined) {
    const json = messageToJson(message, messageDraft(draft), style);
    return Object.keys(json).length === 0 ? undefined : json;
  }
  const json = fieldToJson(list, draft, style);
  return json === undefined || style.unwrapsLists ? json : { [jsonFieldName(list, style)]: json };
}

function notEmpty(list: readonly JsonValue[]): JsonValue | undefined {
  return list.length === 0 ? undefined : [...list];
}

function textToJson(field: DescField, text: string, style: JsonStyle): JsonValue | undefined {
  if (text === "") {
    return undefined;
  }
  if (field.enum !== undefined) {
    return enumToJson(field.enum, text, style);
  }
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return text;
    case ScalarType.BOOL:
      return text === "true" || text === "false" ? text === "true" : text;
    default: {
      const number = Number(text);
      return text.trim() !== "" && Number.isFinite(number) ? number : text;
    }
  }
}

function enumToJson(type: DescEnum, name: string, style: JsonStyle): JsonValue {
  const value = type.values.find((known) => known.name === name);
  return value === undefined ? name : jsonEnumName(value, style);
}
