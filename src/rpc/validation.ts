import { type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import type { Path } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { invalidFields } from "../errors.ts";
import { isListWrapper } from "../rest/json/style.ts";
import { bindingViolations, type FieldViolation, formatFieldPath } from "../rest/violations.ts";
import { findNulCharacters } from "./nul-characters.ts";
import { wordViolation } from "./violation-wording.ts";

/** What a schema cannot say of a message: a capability's own check, whose findings join the validator's. */
export interface FieldCheck {
  readonly schema: DescMessage;
  /** What is wrong, by the path of the field. Called for messages that break other rules too. */
  readonly problems: (message: Message) => Readonly<Record<string, string>>;
}

/** Binds a check to the type of message that it reads. */
export function fieldCheck<Desc extends DescMessage>(
  schema: Desc,
  problems: (message: MessageShape<Desc>) => Readonly<Record<string, string>>,
): FieldCheck {
  return { schema, problems: (message) => (isMessage(message, schema) ? problems(message) : {}) };
}

/**
 * Refuses messages that break the rules of their schema (`buf.validate`), on every protocol alike. What a REST request
 * already got wrong before there was a message comes out in the same `validation_error`, one entry a field.
 */
export function createValidationInterceptor(checks: readonly FieldCheck[]): Interceptor {
  const validator = createValidator();
  const checkBySchema = new Map(checks.map((check) => [check.schema, check]));
  return (next) => async (request) => {
    if (request.stream) {
      return next(request);
    }
    const { method, message } = request;
    const result = validator.validate(method.input, message);
    if (result.kind === "error") {
      throw result.error;
    }
    const own = checkBySchema.get(method.input)?.problems(message) ?? {};
    const violations = [
      ...request.contextValues.get(bindingViolations),
      ...findNulCharacters(method.input, message),
      ...(result.violations ?? []).map(toFieldViolation),
      ...Object.entries(own).map(([path, problem]) => ({ path, message: problem })),
    ];
    if (violations.length > 0) {
      // One entry a field, the first: it is closest to what the client did wrong.
      throw invalidFields(Object.fromEntries(violations.toReversed().map((found) => [found.path, found.message])));
    }
    return next(request);
  };
}

function toFieldViolation(violation: Violation): FieldViolation {
  return { path: formatFieldPath(pathSteps(violation.field)), message: wordViolation(violation) };
}

/** The path as the client writes it: the field of a message that only wraps a list is not a step of its own. */
function pathSteps(path: Path): (string | number)[] {
  return path.flatMap<string | number>((step, index) => {
    switch (step.kind) {
      case "field":
        return index > 0 && isListWrapper(step.parent) ? [] : [step.name];
      case "list_sub":
        return [step.index];
      case "map_sub":
        return [String(step.key)];
      default:
        return [step.name];
    }
  });
}
