import { clearField, clone, create, type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";
import type { FieldMask } from "@bufbuild/protobuf/wkt";

/** A requested update (AIP-134): the new values, and optionally a mask that names which of them to change. */
export interface Update<Desc extends DescMessage> {
  readonly schema: Desc;
  readonly changes: MessageShape<Desc> | undefined;
  readonly mask: FieldMask | undefined;
}

/** The changes that an update asks for. Fields that are not set in the result stay as they are. */
export function namedChanges<Desc extends DescMessage>({ schema, changes, mask }: Update<Desc>): MessageShape<Desc> {
  if (changes === undefined) {
    return create(schema);
  }
  const named = clone(schema, changes);
  for (const field of mask === undefined ? [] : schema.fields) {
    if (mask?.paths.includes(field.name) === false) {
      clearField(named, field);
    }
  }
  return named;
}

/**
 * The problems of an update's mask. The changes are in the field `container`. Over REST the mask lists the members of the body,
 * so a named field without a value was `null` there; its meaning is not guessed. A mask that names nothing would drop the
 * changes. `advice` says what to write instead, by field.
 */
export function updateMaskProblems<Desc extends DescMessage>(
  { schema, changes, mask }: Update<Desc>,
  container: string,
  advice: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const problems: Record<string, string> = {};
  if (mask?.paths.length === 0 && changes !== undefined && schema.fields.some((field) => isFieldSet(changes, field))) {
    problems.update_mask = "must name what is to change, or be left out";
  }
  for (const path of mask?.paths ?? []) {
    const field = schema.fields.find(({ name }) => name === path);
    if (field === undefined) {
      const known = schema.fields.map(({ name }) => name).join(", ");
      problems.update_mask = `must name only what can be changed: ${known}`;
    } else if (changes === undefined || !isFieldSet(changes, field)) {
      problems[`${container}.${path}`] = `must not be null${advice[path] === undefined ? "" : `: ${advice[path]}`}`;
    }
  }
  return problems;
}
