import { createRegistry, type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { ViolationCollector } from "../../src/rest/field-violations.ts";
import { JsonReader } from "../../src/rest/json/json-reader.ts";
import type { JsonOptions, JsonStyle } from "../../src/rest/json/json-style.ts";
import { JsonWriter } from "../../src/rest/json/json-writer.ts";
import { parseJson } from "../../src/rest/json/parse-json.ts";
import { file_everytype_v1_every_type } from "./gen/everytype/v1/every_type_pb.ts";
import { file_everytype_v1_proto2 } from "./gen/everytype/v1/proto2_pb.ts";

export function jsonOptions(style: JsonStyle, ignoresUnknownFields = false): JsonOptions {
  const registry = createRegistry(
    file_everytype_v1_every_type,
    ...file_everytype_v1_every_type.dependencies,
    file_everytype_v1_proto2,
  );
  return { style, ignoresUnknownFields, registry };
}

/** Reads JSON text as a message; the violations as `path: message`. */
export function readText<Desc extends DescMessage>(
  desc: Desc,
  text: string,
  options: JsonOptions,
): { message: MessageShape<Desc>; violations: string[] } {
  const violations = new ViolationCollector();
  const message = new JsonReader(options).message(desc)(parseJson(text, violations), violations);
  if (!isMessage(message, desc)) {
    throw new TypeError(`${text} is no ${desc.typeName}`);
  }
  return { message, violations: violations.listed.map((found) => `${found.path}: ${found.message}`) };
}

/** What is said of the first unknown field of a type. */
export function unknownIn(desc: DescMessage): string {
  return `is not a known field; known are: ${desc.fields.map(({ name }) => name).join(", ")}`;
}

/** Writes a message as JSON text. */
export function writeText(desc: DescMessage, message: Message, options: JsonOptions): string {
  return JSON.stringify(new JsonWriter(options).message(desc)(message));
}
