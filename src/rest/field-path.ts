import { create, type DescField } from "@bufbuild/protobuf";
import { getField, isMembers, type Members, membersOf, setField } from "./json/value-type.ts";

/** The path from a message to a field in it, through singular message fields. */
export class FieldPath {
  readonly last: DescField;
  readonly #parents: readonly DescField[];
  readonly #hasOneof: boolean;

  /** `parents` are singular message fields, each in the message before. */
  constructor(parents: readonly DescField[], last: DescField) {
    this.last = last;
    this.#parents = parents;
    this.#hasOneof = [...parents, last].some((field) => field.oneof !== undefined);
  }

  /** Sets the field. Unset messages on the path are created. */
  set(members: Members, value: unknown): void {
    setField(this.#descend(members), this.last, value);
  }

  /** Appends an item to the field, which must be repeated. */
  append(members: Members, item: unknown): void {
    const items = this.#descend(members)[this.last.localName];
    if (Array.isArray(items)) {
      items.push(item);
    }
  }

  /** The name of a oneof on the path that has another member set, which setting the field would clear. */
  conflictingOneof(members: Members): string | undefined {
    if (!this.#hasOneof) {
      return undefined;
    }
    let current: unknown = members;
    for (const field of [...this.#parents, this.last]) {
      if (!isMembers(current)) {
        return undefined;
      }
      const selected = field.oneof === undefined ? undefined : current[field.oneof.localName];
      if (isMembers(selected) && selected.case !== undefined && selected.case !== field.localName) {
        return field.oneof?.name;
      }
      current = getField(current, field);
    }
    return undefined;
  }

  #descend(members: Members): Members {
    let current = members;
    for (const field of this.#parents) {
      const child = getField(current, field);
      if (isMembers(child)) {
        current = child;
      } else if (field.fieldKind === "message") {
        const made = create(field.message);
        setField(current, field, made);
        current = membersOf(made);
      }
    }
    return current;
  }
}
