import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { RuleSet } from "../field-rules.ts";

/**
 * Translates the rules of a value to JSON Schema keywords. Rules without a keyword are left out: CEL, lengths in bytes, bounds of
 * timestamps and durations. So are choices of formats (`ip`, `address`), since code generators make a type of each `anyOf`, or code that
 * does not compile.
 */
export function ruleKeywords(rules: RuleSet): JsonObject {
  const keywords: JsonObject = {};
  for (const [name, value] of rules) {
    Object.assign(keywords, keywordsOf(name, value));
  }
  return keywords;
}

function keywordsOf(name: string, value: unknown): JsonObject {
  switch (name) {
    case "const":
      return isPlain(value) ? { const: value } : {};
    case "in":
      return isPlainList(value) ? { enum: value } : {};
    case "not_in":
      return isPlainList(value) ? { not: { enum: value } } : {};
    case "example":
      return isPlainList(value) ? { examples: value } : {};
    case "unique":
      return value === true ? { uniqueItems: true } : {};
    case "pattern":
      return typeof value === "string" ? { pattern: value } : {};
    case "prefix":
      return typeof value === "string" ? { pattern: `^${escapePattern(value)}` } : {};
    case "suffix":
      return typeof value === "string" ? { pattern: `${escapePattern(value)}$` } : {};
    case "contains":
      return typeof value === "string" ? { pattern: escapePattern(value) } : {};
    default:
      return { ...boundKeywords(name, value), ...formatKeywords(name, value) };
  }
}

const boundNames: Readonly<Record<string, readonly string[]>> = {
  lt: ["exclusiveMaximum"],
  lte: ["maximum"],
  gt: ["exclusiveMinimum"],
  gte: ["minimum"],
  len: ["minLength", "maxLength"],
  min_len: ["minLength"],
  max_len: ["maxLength"],
  min_items: ["minItems"],
  max_items: ["maxItems"],
  min_pairs: ["minProperties"],
  max_pairs: ["maxProperties"],
};

function boundKeywords(name: string, value: unknown): JsonObject {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number") {
    return {};
  }
  return Object.fromEntries((boundNames[name] ?? []).map((keyword) => [keyword, number]));
}

const formats: Readonly<Record<string, JsonObject>> = {
  email: { format: "email" },
  hostname: { format: "hostname" },
  ipv4: { format: "ipv4" },
  ipv6: { format: "ipv6" },
  uri: { format: "uri" },
  uri_ref: { format: "uri-reference" },
  uuid: { format: "uuid" },
};

function formatKeywords(name: string, value: unknown): JsonObject {
  return value === true ? { ...formats[name] } : {};
}

function isPlain(value: unknown): value is JsonValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function isPlainList(value: unknown): value is JsonValue[] {
  return Array.isArray(value) && value.every(isPlain);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
