import { type DescMessage, fromBinary, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import {
  AnySchema,
  DurationSchema,
  FieldMaskSchema,
  hasCustomJsonRepresentation,
  isWrapperDesc,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { typeNameOf } from "./any-reader.ts";
import { formatDuration } from "./duration.ts";
import { formatFieldMask } from "./field-mask.ts";
import type { JsonOptions } from "./json-style.ts";
import type { WriteMessage } from "./scalar-writer.ts";
import { mistyped, scalarWriter } from "./scalar-writer.ts";
import { formatTimestamp } from "./timestamp.ts";
import { isMembers, isType, membersOf } from "./value-type.ts";

/** Compiles the writer of a well-known type; `undefined` for other types. */
export function wellKnownWriter(
  desc: DescMessage,
  options: JsonOptions,
  writerOf: (held: DescMessage) => WriteMessage,
): WriteMessage | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return (message) =>
        isType(message, TimestampSchema)
          ? formatTimestamp(message.seconds, message.nanos, options.style.wholeSeconds)
          : mistyped(message, desc.typeName);
    case "google.protobuf.Duration":
      return (message) =>
        isType(message, DurationSchema)
          ? formatDuration(message.seconds, message.nanos)
          : mistyped(message, desc.typeName);
    case "google.protobuf.FieldMask":
      return (message) =>
        isType(message, FieldMaskSchema)
          ? formatFieldMask(message.paths, options.style)
          : mistyped(message, desc.typeName);
    case "google.protobuf.Struct":
    case "google.protobuf.Value":
    case "google.protobuf.ListValue":
      return (message) => toJson(desc, message);
    case "google.protobuf.Any":
      return (message) => writeAny(message, options.registry, writerOf);
    default:
      return wrapperWriter(desc);
  }
}

function wrapperWriter(desc: DescMessage): WriteMessage | undefined {
  if (!isWrapperDesc(desc)) {
    return undefined;
  }
  const [field] = desc.fields;
  const write = scalarWriter(field.scalar);
  return (message) => write(membersOf(message)[field.localName]);
}

function writeAny(message: Message, registry: Registry, writerOf: (held: DescMessage) => WriteMessage): unknown {
  if (!isType(message, AnySchema)) {
    return mistyped(message, AnySchema.typeName);
  }
  if (message.typeUrl === "") {
    return {};
  }
  const held = registry.getMessage(typeNameOf(message.typeUrl));
  if (held === undefined) {
    throw new TypeError(`the type ${message.typeUrl} is not known`);
  }
  const json = writerOf(held)(fromBinary(held, message.value));
  if (hasCustomJsonRepresentation(held)) {
    return { "@type": message.typeUrl, value: json };
  }
  return { "@type": message.typeUrl, ...(isMembers(json) && json) };
}
