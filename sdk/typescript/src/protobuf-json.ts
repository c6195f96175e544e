import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { isObject, type Json, type JsonObject } from "./converters.ts";
import { enumWords } from "./generated/schema.ts";

/** Words of enums by their numbers. */
const wordsByNumber = new Map(
  Object.entries(enumWords).map(([type, words]) => [
    type,
    new Map(Object.entries(words).map(([word, number]) => [number, word])),
  ]),
);

/** The JSON of REST as JSON of protobuf, which writes enums, lists that can be unset, and choices in other ways. */
export function toProtobufJson(json: JsonObject, message: DescMessage): JsonValue {
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) => {
      const field = message.fields.find((candidate) => candidate.name === name);
      return value === undefined || value === null
        ? []
        : [[name, field === undefined ? toJsonValue(value) : fieldToProtobuf(value, field)]];
    }),
  );
}

function fieldToProtobuf(value: Json, field: DescField): JsonValue {
  if (field.fieldKind === "list" && Array.isArray(value)) {
    return value.map((element) => valueToProtobuf(element, field));
  }
  if (field.fieldKind === "map" && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, valueToProtobuf(one ?? null, field)]));
  }
  return valueToProtobuf(value, field);
}

function valueToProtobuf(value: Json, { enum: words, message }: DescField): JsonValue {
  if (words !== undefined) {
    return (typeof value === "string" ? enumWords[words.typeName]?.[value] : undefined) ?? toJsonValue(value);
  }
  const listField = message === undefined ? undefined : wrappedList(message);
  if (listField !== undefined) {
    return { [listField.name]: fieldToProtobuf(value, listField) };
  }
  return message !== undefined && isObject(value) ? toProtobufJson(value, message) : toJsonValue(value);
}

/** JSON of protobuf, with the names of the schema and numbers for enums, as the JSON of REST. */
export function toRestJson(json: JsonValue, message: DescMessage): JsonObject {
  const members = isObject(json) ? json : {};
  return Object.fromEntries(message.fields.map((field) => [field.name, fieldToRest(members[field.name], field)]));
}

function fieldToRest(value: Json | undefined, field: DescField): Json {
  if (value === undefined || value === null) {
    return null;
  }
  if (field.fieldKind === "list" && Array.isArray(value)) {
    return value.map((element) => valueToRest(element, field));
  }
  if (field.fieldKind === "map" && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, valueToRest(one ?? null, field)]));
  }
  return valueToRest(value, field);
}

function valueToRest(value: Json, { enum: words, message }: DescField): Json {
  if (words !== undefined) {
    return wordsByNumber.get(words.typeName)?.get(Number(value)) ?? value;
  }
  if (message === undefined) {
    return value;
  }
  if (message.typeName === "google.protobuf.Timestamp") {
    return String(value).replace(/\.\d+Z$/, "Z");
  }
  if (!isObject(value)) {
    return value;
  }
  const listField = wrappedList(message);
  if (listField !== undefined) {
    return fieldToRest(value[listField.name] ?? [], listField);
  }
  const chosen = isChoice(message) ? message.fields.find(({ name }) => name in value) : undefined;
  return chosen === undefined ? toRestJson(toJsonValue(value), message) : fieldToRest(value[chosen.name], chosen);
}

/** The list that a message holds and nothing else, so that it can be unset: REST writes the list itself. */
function wrappedList({ fields, typeName }: DescMessage): DescField | undefined {
  const [field, ...others] = fields;
  return field?.fieldKind === "list" && others.length === 0 && !typeName.startsWith("google.protobuf.")
    ? field
    : undefined;
}

/** Whether a message is one of several messages, and nothing else: REST writes the chosen one. */
function isChoice({ oneofs: [choice], fields }: DescMessage): boolean {
  return choice !== undefined && fields.every(({ oneof, fieldKind }) => oneof === choice && fieldKind === "message");
}

function toJsonValue(json: Json): JsonValue {
  return json as JsonValue;
}
