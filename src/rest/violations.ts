import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** What is wrong with one field of a request. */
export interface FieldViolation {
  /** Names joined by dots, list elements as `scopes[0]`, map entries as `metadata.key`. */
  readonly path: string;
  /** For the client, to be read after the field's name: "must be a string". */
  readonly message: string;
}

/**
 * What was wrong with the fields of a REST request, for the interceptor that validates: it adds its own findings and
 * throws. Violations that no interceptor throws are thrown in front of the implementation, which therefore never sees
 * a message that is bound in part only.
 */
export const bindingViolations: ContextKey<readonly FieldViolation[]> = createContextKey<readonly FieldViolation[]>(
  [],
  {
    description: "violations found while binding a REST request",
  },
);

/** More are not reported: an answer should not be larger than the request that it explains. */
const maxViolations = 100;

/** Paths repeat what the client wrote; a name longer than this is cut. */
const maxNameLength = 64;

const none: readonly FieldViolation[] = [];

/** Collects violations, one a field: the first. Keeps track of the field that is being read. */
export class ViolationCollector {
  readonly #path: (string | number)[] = [];
  readonly #messages = new Map<string, string>();
  readonly #told = new Set<readonly string[]>();

  /** Steps into a field (by name), a list's element (by index) or a map's entry (by key). */
  enter(step: string | number): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Adds a violation of the current field, or of the one below it. */
  add(message: string, ...below: readonly (string | number)[]): void {
    if (this.#messages.size < maxViolations) {
      const path = formatFieldPath([...this.#path, ...below]);
      if (!this.#messages.has(path)) {
        this.#messages.set(path, message);
      }
    }
  }

  /** Adds that there is no field of this name here, and, the first time that it is about these fields, which there are. */
  addUnknown(known: readonly string[], name: string): void {
    const isTold = this.#told.has(known);
    this.#told.add(known);
    this.add(`is not a known field${isTold || known.length === 0 ? "" : `; known are: ${known.join(", ")}`}`, name);
  }

  violations(): readonly FieldViolation[] {
    return this.#messages.size === 0 ? none : Array.from(this.#messages, ([path, message]) => ({ path, message }));
  }
}

/** Writes a path as {@link FieldViolation.path} does. */
export function formatFieldPath(steps: readonly (string | number)[]): string {
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
