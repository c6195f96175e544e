import {
  type DescMessage,
  type DescMethod,
  type DescService,
  isMessage,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Path } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import {
  bindingViolations,
  type FieldViolations,
  hasViolations,
  ViolationCollector,
} from "@byond/rest/field-violations";
import { isListWrapper } from "@byond/rest/json/json-style";
import type { Interceptor } from "@connectrpc/connect";
import type { AppError } from "../errors.ts";
import { hasSideEffects } from "../idempotency/idempotency-interceptor.ts";
import { MessageProblems } from "./message-problems.ts";
import { wordViolation } from "./violation-wording.ts";
import { violationsError } from "./wire-errors.ts";

/** Compiles the rules of a type of message for the first one. One for all servers of a process, as tests have them. */
const validator = createValidator();

/** What a schema cannot say of a message: a capability's own check, whose findings join the validator's. */
export interface FieldCheck {
  readonly schema: DescMessage;
  /**
   * What is wrong, by the path of the field. Called for messages that break other rules too. It may throw an error that
   * comes before any problem of a field, such as that there is no such call.
   */
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
 * What is wrong with the request of an RPC, all of it together; `undefined` for one to carry out. `found` is what was wrong
 * before there was a message.
 */
export type CheckRequest = (method: DescMethod, message: Message, found: FieldViolations) => AppError | undefined;

/**
 * Compiles the checks of the services' requests, by what no message may hold, by the rules of their schema
 * (`buf.validate`), and by the checks of the capabilities. Throws if a request can hold something that there is no rule for.
 *
 * Calls with side effects refuse unknown fields: one that is dropped may be the restriction that the caller counts on.
 */
export function compileRequestChecks(services: readonly DescService[], checks: readonly FieldCheck[]): CheckRequest {
  const checkBySchema = new Map(checks.map((check) => [check.schema, check]));
  const problems = new MessageProblems(services.flatMap(({ methods }) => methods.map(({ input }) => input)));
  // Nearly every message leaves it empty, for the next one.
  let empty: ViolationCollector | undefined;
  return (method, message, found) => {
    const { input } = method;
    // One entry a field, the first: it is closest to what the client did wrong.
    const all = empty ?? new ViolationCollector();
    empty = undefined;
    if (hasViolations(found)) {
      all.addAll(found);
    }
    problems.find(input, message, hasSideEffects(method), all);
    const result = validator.validate(input, message);
    for (const violation of result.violations ?? []) {
      all.add(wordViolation(violation), ...pathSteps(violation.field));
    }
    const problemsOfCapability = checkBySchema.get(input)?.problems(message);
    for (const path in problemsOfCapability) {
      all.addAll({ listed: [{ path, message: problemsOfCapability[path] ?? "" }], unlisted: 0 });
    }
    if (hasViolations(all)) {
      return violationsError(all);
    }
    if (result.kind === "error") {
      throw result.error;
    }
    empty = all;
    return undefined;
  };
}

/**
 * Refuses requests that do not pass their checks, on every protocol alike. What a REST request already got wrong before
 * there was a message comes out in the same `validation_error`.
 */
export function createValidationInterceptor(
  check: CheckRequest,
  isChecked: (service: DescService) => boolean,
): Interceptor {
  return (next) => (request) => {
    if (!isChecked(request.service)) {
      return next(request);
    }
    if (request.stream) {
      const { method, contextValues } = request;
      const message = eachChecked(request.message, (each) => check(method, each, contextValues.get(bindingViolations)));
      return next({ ...request, message });
    }
    const error = check(request.method, request.message, request.contextValues.get(bindingViolations));
    if (error !== undefined) {
      throw error;
    }
    return next(request);
  };
}

/** The messages of a request that streams them, or of one that is answered with a stream: each is checked as it arrives. */
async function* eachChecked(
  messages: AsyncIterable<Message>,
  check: (message: Message) => AppError | undefined,
): AsyncIterable<Message> {
  for await (const message of messages) {
    const error = check(message);
    if (error !== undefined) {
      throw error;
    }
    yield message;
  }
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
