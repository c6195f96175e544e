import { type DescField, getOption } from "@bufbuild/protobuf";
import type { Violation } from "@bufbuild/protovalidate";
import {
  type FieldRules,
  field as fieldRules,
  type Int32Rules,
  type RepeatedRules,
  type StringRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { houseJson, jsonEnumNames } from "../rest/json/style.ts";

/** A violation in the words of the house: "must be between 4 and 10". To be read after the field's name. */
export function wordViolation(violation: Violation): string {
  const field = violation.field.findLast((step): step is DescField => step.kind === "field");
  if (field === undefined) {
    return violation.message;
  }
  const isElement = violation.field.at(-1)?.kind === "list_sub";
  return wordRule(violation.ruleId, rulesOf(field, isElement), field) ?? violation.message;
}

function rulesOf(field: DescField, isElement: boolean): FieldRules["type"] {
  const rules = getOption(field, fieldRules).type;
  return isElement && rules.case === "repeated" ? (rules.value.items?.type ?? { case: undefined }) : rules;
}

function wordRule(ruleId: string, rules: FieldRules["type"], field: DescField): string | undefined {
  if (ruleId === "required") {
    return "is required";
  }
  switch (rules.case) {
    case "int32":
      return wordInteger(rules.value);
    case "string":
      return wordString(ruleId, rules.value);
    case "repeated":
      return wordList(ruleId, rules.value);
    case "enum":
      return field.enum === undefined
        ? undefined
        : `must be one of: ${jsonEnumNames(field.enum, houseJson).join(", ")}`;
    default:
      return undefined;
  }
}

function wordInteger({ greaterThan, lessThan }: Int32Rules): string | undefined {
  if (greaterThan.case === "gte" && lessThan.case === "lte") {
    return `must be between ${greaterThan.value} and ${lessThan.value}`;
  }
  return greaterThan.case === "gte" ? `must be at least ${greaterThan.value}` : undefined;
}

function wordString(ruleId: string, rules: StringRules): string | undefined {
  switch (ruleId) {
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
