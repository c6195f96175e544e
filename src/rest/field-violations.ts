import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** What is wrong with one field of a request. */
export interface FieldViolation {
  /** Names joined by dots, list elements as `scopes[0]`, map entries as `metadata.key`. */
  readonly path: string;
  /** For the client, to be read after the field's name: "must be a string". */
  readonly message: string;
}

/** What is wrong with the fields of a request. */
export interface FieldViolations {
  /** One a field. */
  readonly listed: readonly FieldViolation[];
  /** How much more was found. */
  readonly unlisted: number;
}

export function hasViolations({ listed }: FieldViolations): boolean {
  return listed.length > 0;
}

const none: FieldViolations = { listed: [], unlisted: 0 };

/**
 * What was wrong with the fields of a REST request, for the interceptor that validates: it adds its own findings and
 * throws. Violations that no interceptor throws are thrown in front of the implementation, which therefore never sees
 * a message that is bound in part only.
 */
export const bindingViolations: ContextKey<FieldViolations> = createContextKey<FieldViolations>(none, {
  description: "violations found while binding a REST request",
});

/** More are only counted: an answer should not be larger than the request that it explains. */
const maxListedViolations = 20;

/** Paths repeat what the client wrote; a name longer than this is cut. */
const maxNameLength = 64;

/** Collects violations, one a field: the first. Keeps track of the field that is being read. */
export class ViolationCollector implements FieldViolations {
  readonly #path: (string | number)[] = [];
  readonly #messages = new Map<string, string>();
  readonly #told = new Set<readonly string[]>();
  #unlisted = 0;

  /** Steps into a field (by name), a list's element (by index) or a map's entry (by key). */
  enter(step: string | number): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Adds a violation of the current field, or of the one below it. */
  add(message: string, ...below: readonly (string | number)[]): void {
    if (this.#messages.size >= maxListedViolations) {
      this.#unlisted += 1;
      return;
    }
    this.#list(formatFieldPath([...this.#path, ...below]), message);
  }

  /** Adds what somebody else found. */
  addAll({ listed, unlisted }: FieldViolations): void {
    for (const { path, message } of listed) {
      if (this.#messages.size < maxListedViolations) {
        this.#list(path, message);
      } else if (!this.#messages.has(path)) {
        this.#unlisted += 1;
      }
    }
    this.#unlisted += unlisted;
  }

  /** Adds that there is no field of this name here, and, the first time that it is about these fields, which there are. */
  addUnknown(known: readonly string[], name: string): void {
    const isTold = this.#told.has(known);
    this.#told.add(known);
    this.add(`is not a known field${isTold || known.length === 0 ? "" : `; known are: ${known.join(", ")}`}`, name);
  }

  get listed(): readonly FieldViolation[] {
    return Array.from(this.#messages, ([path, message]) => ({ path, message }));
  }

  get unlisted(): number {
    return this.#unlisted;
  }

  #list(path: string, message: string): void {
    if (!this.#messages.has(path)) {
      this.#messages.set(path, message);
    }
  }
}

/** Writes a path as {@link FieldViolation.path} does. */
function formatFieldPath(steps: readonly (string | number)[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") {
      path += `[${step}]`;
    } else {
      const name = step.length > maxNameLength ? `${step.slice(0, maxNameLength)}…` : step;
      path += path === "" ? name : `.${name}`;
    }
  }
  return path.toWellFormed();
}

/** What a reader of values returns for one that it does not accept. `message` is that of the violation. */
export class InvalidValue {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const notAString = new InvalidValue("must be a string");
export const notAnInteger = new InvalidValue("must be an integer");
export const notANumber = new InvalidValue("must be a number");
export const notABoolean = new InvalidValue("must be true or false");
export const notAnObject = new InvalidValue("must be an object");
export const notAList = new InvalidValue("must be a list");
export const notUnicode = new InvalidValue("must be valid Unicode text");
export const containsNul = new InvalidValue("must not contain the character U+0000");
export const notBase64 = new InvalidValue("must be base64");
export const isRepeated = new InvalidValue("must be given once");
