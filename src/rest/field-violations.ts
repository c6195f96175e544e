import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** One invalid field of a request. */
export interface FieldViolation {
  /** Field names joined by dots; list elements as `scopes[0]`, map entries as `metadata.key`. */
  readonly path: string;
  /** For the client, to be read after the field's name: "must be a string". */
  readonly message: string;
}

/** The invalid fields of a request. */
export interface FieldViolations {
  /** At most one for each field. */
  readonly listed: readonly FieldViolation[];
  /** How many more were found. */
  readonly unlisted: number;
}

export function hasViolations(violations: FieldViolations): boolean {
  return violations instanceof ViolationCollector ? !violations.isEmpty : violations.listed.length > 0;
}

const none: FieldViolations = { listed: [], unlisted: 0 };

/**
 * The violations found while binding a REST request, for the interceptor that validates: it adds its own and throws. If no interceptor
 * throws them, the gateway does before it calls the implementation, which therefore never gets a partly bound message.
 */
export const bindingViolations: ContextKey<FieldViolations> = createContextKey<FieldViolations>(none, {
  description: "violations found while binding a REST request",
});

/** Further violations are only counted, so that the response is not larger than the request. */
const maxListedViolations = 20;

/** Paths repeat names that the client sent; longer ones are truncated. */
const maxNameLength = 64;

/** Collects the first violation of each field. Keeps track of the field that is being read. */
export class ViolationCollector implements FieldViolations {
  readonly #path: (string | number)[] = [];
  /** By path. Made for the first one: most requests have none. */
  #messages: Map<string, string> | undefined;
  readonly #listedFields: (readonly string[])[] = [];
  #unlisted = 0;

  /** Enters a field (by name), a list element (by index) or a map entry (by key). */
  enter(step: string | number): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Adds a violation of the current field, or of the field at the path `below` inside it. */
  add(message: string, ...below: readonly (string | number)[]): void {
    if (this.#count >= maxListedViolations) {
      this.#unlisted += 1;
      return;
    }
    this.#list(formatFieldPath([...this.#path, ...below]), message);
  }

  /** Adds violations that were collected elsewhere. */
  addAll(violations: FieldViolations): void {
    if (!hasViolations(violations)) {
      return;
    }
    const { listed, unlisted } = violations;
    for (const { path, message } of listed) {
      if (this.#count < maxListedViolations) {
        this.#list(path, message);
      } else if (this.#messages?.has(path) !== true) {
        this.#unlisted += 1;
      }
    }
    this.#unlisted += unlisted;
  }

  /** Adds a violation for an unknown field. The first one for each list of `known` fields lists them. */
  addUnknown(known: readonly string[], name: string): void {
    const isListed = this.#listedFields.includes(known);
    if (!isListed) {
      this.#listedFields.push(known);
    }
    this.add(`is not a known field${isListed || known.length === 0 ? "" : `; known are: ${known.join(", ")}`}`, name);
  }

  get isEmpty(): boolean {
    return this.#messages === undefined;
  }

  get listed(): readonly FieldViolation[] {
    return Array.from(this.#messages ?? [], ([path, message]) => ({ path, message }));
  }

  get unlisted(): number {
    return this.#unlisted;
  }

  get #count(): number {
    return this.#messages?.size ?? 0;
  }

  #list(path: string, message: string): void {
    this.#messages ??= new Map();
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

/** What a value reader returns for a value that it rejects. `message` is the message of the violation. */
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
