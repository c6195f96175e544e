import { type DescField, type DescMessage, getOption, hasOption, isMessage, type Message } from "@bufbuild/protobuf";
import { isReflectList, reflect } from "@bufbuild/protobuf/reflect";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  Ignore,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { FieldBehavior, field_behavior as fieldBehavior } from "./gen/google/api/field_behavior_pb.ts";
import { onceForEach } from "./once-for-each.ts";

/** The `buf.validate` rules that are set for a value, by their names in the proto file. */
export type RuleSet = ReadonlyMap<string, unknown>;

const none: RuleSet = new Map();

/** The `buf.validate` rules of a field, or of its elements. */
export interface Rules {
  readonly required: boolean;
  /** The rules of the value's own type, such as `min_len`. */
  readonly own: RuleSet;
  readonly items: Rules | undefined;
  readonly keys: Rules | undefined;
  readonly values: Rules | undefined;
}

export const noRules: Rules = { required: false, own: none, items: undefined, keys: undefined, values: undefined };

/** Reads the rules of a field. */
export const rulesOf: (field: DescField) => Rules = onceForEach((field) =>
  hasOption(field, fieldRules) ? toRules(getOption(field, fieldRules)) : noRules,
);

/**
 * Whether requests must have the field: by its rules, or by `google.api.field_behavior`, in which case the implementation rejects
 * requests without it.
 */
export function isRequired(field: DescField): boolean {
  return (
    rulesOf(field).required ||
    (hasOption(field, fieldBehavior) && getOption(field, fieldBehavior).includes(FieldBehavior.REQUIRED))
  );
}

function toRules(rules: FieldRules | undefined): Rules {
  if (rules === undefined || rules.ignore === Ignore.ALWAYS) {
    return noRules;
  }
  const { case: kind, value } = rules.type;
  const own = value === undefined ? none : setFields(FieldRulesSchema, kind, value);
  return {
    required: rules.required,
    own,
    items: kind === "repeated" ? toRules(rules.type.value.items) : undefined,
    keys: kind === "map" ? toRules(rules.type.value.keys) : undefined,
    values: kind === "map" ? toRules(rules.type.value.values) : undefined,
  };
}

function setFields(parent: DescMessage, kind: string, value: Message): RuleSet {
  const desc = parent.field[kind]?.message;
  if (desc === undefined || !isMessage(value)) {
    return none;
  }
  const message = reflect(desc, value);
  return new Map(
    message.fields
      .filter((field) => message.isSet(field))
      .map((field) => {
        const set: unknown = message.get(field);
        return [field.name, isReflectList(set) ? [...set] : set];
      }),
  );
}
