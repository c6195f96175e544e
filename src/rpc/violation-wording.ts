import { type DescEnum, type DescField, getOption } from "@bufbuild/protobuf";
import type { Violation } from "@bufbuild/protovalidate";
import {
  type EnumRules,
  type FieldRules,
  field as fieldRules,
  type Int32Rules,
  type RepeatedRules,
  type StringRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { jsonEnumName, jsonEnumNames } from "@byond/rest/json/json-style";
import { pattern_words as patternWords } from "../../gen/byond/v1/access_pb.ts";
import { restStyle } from "./rest-style.ts";

/** Words a violation as the API does, to be read after the field's name: "must be between 4 and 10". */
export function wordViolation(violation: Violation): string {
  const field = violation.field.findLast((step): step is DescField => step.kind === "field");
  if (field === undefined) {
    return violation.message;
  }
  const words = wordRule(violation.ruleId, rulesOf(field, violation), field) ?? violation.message;
  return violation.forKey ? `has a key that ${words}` : words;
}

/** The broken rules: those of the field, or of its items, keys or values. */
function rulesOf(field: DescField, { field: path, forKey }: Violation): FieldRules["type"] {
  const rules = getOption(field, fieldRules).type;
  const isHeld = path.at(-1)?.kind !== "field";
  if (isHeld && rules.case === "repeated") {
    return rules.value.items?.type ?? { case: undefined };
  }
  if (isHeld && rules.case === "map") {
    return (forKey ? rules.value.keys : rules.value.values)?.type ?? { case: undefined };
  }
  return rules;
}

function wordRule(ruleId: string, rules: FieldRules["type"], field: DescField): string | undefined {
  if (ruleId === "required") {
    return "is required";
  }
  switch (rules.case) {
    case "int32":
      return wordInteger(rules.value);
    case "string":
      return wordString(ruleId, rules.value, field);
    case "repeated":
      return wordList(ruleId, rules.value);
    case "map":
      return ruleId === "map.max_pairs" ? `must have at most ${rules.value.maxPairs} entries` : undefined;
    case "enum":
      return field.enum === undefined ? undefined : wordEnum(field.enum, rules.value);
    default:
      return undefined;
  }
}

function wordEnum(type: DescEnum, { in: only, notIn }: EnumRules): string {
  const refused = type.values
    .filter(({ number }) => notIn.includes(number) || (only.length > 0 && !only.includes(number)))
    .map((value) => jsonEnumName(value, restStyle));
  const allowed = jsonEnumNames(type, restStyle).filter((name) => !refused.includes(name));
  return `must be one of: ${allowed.join(", ")}`;
}

function wordInteger({ greaterThan, lessThan }: Int32Rules): string | undefined {
  if (greaterThan.case === "gte" && lessThan.case === "lte") {
    return `must be between ${greaterThan.value} and ${lessThan.value}`;
  }
  return greaterThan.case === "gte" ? `must be at least ${greaterThan.value}` : undefined;
}

function wordString(ruleId: string, rules: StringRules, field: DescField): string | undefined {
  switch (ruleId) {
    case "string.pattern":
      return getOption(field, patternWords) || undefined;
    case "string.ip":
    case "string.ip_empty":
      return "must be an IPv4 or IPv6 address";
    case "string.hostname":
    case "string.hostname_empty":
      return "must be a host name, such as example.com";
    case "string.in":
      return `must be one of: ${rules.in.join(", ")}`;
    case "string.min_len":
    case "string.max_len":
    case "string.min_len_empty":
      return rules.minLen > 0n && rules.maxLen > 0n
        ? `must be ${rules.minLen} to ${rules.maxLen} characters long`
        : undefined;
    default:
      return undefined;
  }
}

function wordList(ruleId: string, rules: RepeatedRules): string | undefined {
  switch (ruleId) {
    case "repeated.min_items":
      return rules.minItems === 1n ? "must not be empty" : undefined;
    case "repeated.max_items":
      return `must have at most ${rules.maxItems} entries`;
    case "repeated.unique":
      return "must not name anything twice";
    default:
      return undefined;
  }
}
