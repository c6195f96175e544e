import { type DescField, type DescMessage, isMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { ViolationCollector } from "@byond/rest/field-violations";
import { containsNul } from "@byond/rest/field-violations";
import { durationProblem } from "@byond/rest/json/duration";
import { isListWrapper, jsonEnumNames } from "@byond/rest/json/json-style";
import { timestampProblem } from "@byond/rest/json/timestamp";
import { getField, isMembers, isType, membersOf, type ValueType, valueTypeOf } from "@byond/rest/json/value-type";
import { restStyle } from "./rest-style.ts";

/** The state of one check: the problems found, and whether unknown fields are problems. */
interface Walk {
  readonly violations: ViolationCollector;
  readonly refusesUnknownFields: boolean;
}

type Check = (value: unknown, walk: Walk) => void;

/**
 * Finds what no request may contain, whatever its schema allows: values that JSON cannot represent, so that no answer could
 * repeat them (times outside the years 0001 to 9999, numbers that are not a value of their enum), U+0000, which PostgreSQL
 * cannot store, and optionally unknown fields of binary messages. Finds everything in one pass, which is compiled once per
 * type.
 */
export class MessageProblems {
  readonly #requests = new Map<DescMessage, Check>();
  readonly #held = new Map<DescMessage, Check>();

  /** Throws if one of the types contains a type that there is no rule for. */
  constructor(requestTypes: Iterable<DescMessage>) {
    for (const desc of requestTypes) {
      this.#requests.set(
        desc,
        this.#compile(desc, () => true),
      );
    }
  }

  /** Adds the problems of a message of one of the types. */
  find(desc: DescMessage, message: Message, refusesUnknownFields: boolean, violations: ViolationCollector): void {
    const check = this.#requests.get(desc);
    if (check === undefined) {
      throw new TypeError(`${desc.typeName} is not among the types of requests`);
    }
    check(message, { violations, refusesUnknownFields });
  }

  /** The check of a message inside another one. */
  #message(desc: DescMessage): Check {
    const known = this.#held.get(desc);
    if (known !== undefined) {
      return known;
    }
    // Registered before it is compiled, so that a recursive type finds itself.
    let compiled: Check | undefined;
    const check: Check = (message, walk) => compiled?.(message, walk);
    this.#held.set(desc, check);
    // Paths are those of REST, where the field of a message that only wraps a list is left out.
    compiled = this.#compile(desc, () => !isListWrapper(desc));
    return check;
  }

  #compile(desc: DescMessage, isStep: (field: DescField) => boolean): Check {
    const problemOf = wholeProblem(desc);
    const known = desc.fields.map(({ name }) => name);
    const fields = desc.fields.flatMap((field) => {
      const check = this.#field(field);
      return check === undefined ? [] : [{ field, check, isStep: isStep(field) }];
    });
    return (message, walk) => {
      if (!isMessage(message)) {
        return;
      }
      const { violations } = walk;
      if (message.$unknown !== undefined && walk.refusesUnknownFields) {
        for (const { no } of message.$unknown) {
          violations.addUnknown(known, `field ${no}`);
        }
      }
      const problem = problemOf?.(message);
      if (problem !== undefined) {
        violations.add(problem);
      }
      const members = membersOf(message);
      for (const { field, check, isStep } of fields) {
        const value = getField(members, field);
        if (value === undefined) {
          continue;
        }
        if (isStep) {
          violations.enter(field.name);
          check(value, walk);
          violations.leave();
        } else {
          check(value, walk);
        }
      }
    };
  }

  /** The check of a field. `undefined` if every value is valid. */
  #field(field: DescField): Check | undefined {
    const check = this.#value(valueTypeOf(field));
    switch (field.fieldKind) {
      case "list":
        return check && ((items, walk) => checkItems(items, check, walk));
      case "map": {
        const checkKey = field.mapKey === ScalarType.STRING ? checkString : undefined;
        return (checkKey ?? check) && ((entries, walk) => checkEntries(entries, checkKey, check, walk));
      }
      default:
        return check;
    }
  }

  #value(type: ValueType): Check | undefined {
    switch (type.kind) {
      case "scalar":
        return type.scalar === ScalarType.STRING ? checkString : undefined;
      case "enum": {
        const numbers = new Set<unknown>(type.enum.values.map(({ number }) => number));
        const problem = `must be one of: ${jsonEnumNames(type.enum, restStyle).join(", ")}`;
        return (number, { violations }) => {
          if (!numbers.has(number)) {
            violations.add(problem);
          }
        };
      }
      case "message":
        if (type.held !== "message" || withoutRule.has(type.message.typeName)) {
          throw new TypeError(`there is no rule for what a ${type.message.typeName} must not hold`);
        }
        return this.#message(type.message);
    }
  }
}

/** Types that can contain what JSON cannot represent (a value without a kind, an unknown type). No request has them. */
const withoutRule = new Set(["google.protobuf.Any", "google.protobuf.Value", "google.protobuf.ListValue"]);

/** A check of a whole message, for types that need one. */
function wholeProblem(desc: DescMessage): ((message: Message) => string | undefined) | undefined {
  switch (desc.typeName) {
    case TimestampSchema.typeName:
      return (message) =>
        isType(message, TimestampSchema) ? timestampProblem(message.seconds, message.nanos) : undefined;
    case DurationSchema.typeName:
      return (message) =>
        isType(message, DurationSchema) ? durationProblem(message.seconds, message.nanos) : undefined;
    default:
      return undefined;
  }
}

function checkString(text: unknown, { violations }: Walk): void {
  if (typeof text === "string" && text.includes("\0")) {
    violations.add(containsNul.message);
  }
}

function checkItems(items: unknown, check: Check, walk: Walk): void {
  if (!Array.isArray(items)) {
    return;
  }
  for (const [index, item] of items.entries()) {
    walk.violations.enter(index);
    check(item, walk);
    walk.violations.leave();
  }
}

function checkEntries(entries: unknown, checkKey: Check | undefined, check: Check | undefined, walk: Walk): void {
  if (!isMembers(entries)) {
    return;
  }
  for (const key of Object.keys(entries)) {
    walk.violations.enter(key);
    checkKey?.(key, walk);
    check?.(entries[key], walk);
    walk.violations.leave();
  }
}
