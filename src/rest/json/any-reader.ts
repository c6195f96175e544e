import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { AnySchema, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { ViolationCollector } from "../field-violations.ts";
import { notAnObject } from "../field-violations.ts";
import type { JsonOptions } from "./json-style.ts";
import type { ReadJson, ReadMessage } from "./scalar-reader.ts";
import { isMembers } from "./value-type.ts";

const knownBesideValue = ["@type", "value"];

/**
 * Compiles the reader of `google.protobuf.Any`: an object with the type's URL in `@type` and the fields of the message, or `value` if
 * it is a well-known type. The type must be in the registry.
 */
export function anyReader(options: JsonOptions, readerOf: (held: DescMessage) => ReadMessage): ReadJson {
  return (json, violations) => {
    if (!isMembers(json)) {
      violations.add(notAnObject.message);
      return undefined;
    }
    if (Object.keys(json).length === 0) {
      return create(AnySchema);
    }
    const { "@type": typeUrl, ...rest } = json;
    const held = typeof typeUrl === "string" ? options.registry.getMessage(typeNameOf(typeUrl)) : undefined;
    if (held === undefined) {
      violations.add("must be the URL of a known type", "@type");
      return undefined;
    }
    const read = hasCustomJsonRepresentation(held) ? wellKnownReader(readerOf(held), options) : readerOf(held);
    const message = read(rest, violations);
    return message === undefined ? undefined : pack(String(typeUrl), held, message, violations);
  };
}

/** The part of a type URL after the last slash; empty if there is no slash. */
export function typeNameOf(typeUrl: string): string {
  const slash = typeUrl.lastIndexOf("/");
  return slash < 0 ? "" : typeUrl.slice(slash + 1);
}

function wellKnownReader(read: ReadMessage, options: JsonOptions): ReadMessage {
  return (json, violations) => {
    const { value, ...others } = isMembers(json) ? json : {};
    for (const key of options.ignoresUnknownFields ? [] : Object.keys(others)) {
      violations.addUnknown(knownBesideValue, key);
    }
    if (value === undefined) {
      violations.add("is required", "value");
      return undefined;
    }
    violations.enter("value");
    const message = read(value, violations);
    violations.leave();
    return message;
  };
}

function pack(typeUrl: string, held: DescMessage, message: Message, violations: ViolationCollector): unknown {
  try {
    return create(AnySchema, { typeUrl, value: toBinary(held, message) });
  } catch {
    // A proto2 message without one of its required fields has no binary form.
    violations.add("must have all required fields");
    return undefined;
  }
}
