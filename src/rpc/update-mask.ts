import { clearField, clone, create, type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";
import type { FieldMask } from "@bufbuild/protobuf/wkt";

/** An update as it was asked for: what shall be, and, where there is a mask, which of it (AIP-134). */
export interface Update<Desc extends DescMessage> {
  readonly schema: Desc;
  readonly changes: MessageShape<Desc> | undefined;
  readonly mask: FieldMask | undefined;
}

/** The changes that an update names. Fields that are not set in it stay as they are. */
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
 * What is wrong with the mask of an update, whose changes are in the field `container`. Over REST the mask names the members
 * of the body, so that a field that is named and not given was `null` there: what that is to mean is not guessed.
 * A mask that names nothing, beside changes, would drop them. `advice` says of some fields what to write instead.
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
