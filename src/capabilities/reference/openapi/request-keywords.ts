import { type DescField, getOption, type JsonObject } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { getCountries } from "libphonenumber-js/max";
import { id_prefix as idPrefix } from "../../../../gen/byond/v1/access_pb.ts";

/** The characters of an address, or of a range of them in CIDR notation. What else makes it one, the description says. */
const addressOrRange = { pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" };

const byField: Readonly<Record<string, JsonObject>> = {
  "IpAllowlist.ranges": addressOrRange,
  "LookupNumberRequest.country": { enum: getCountries().toSorted() },
  "SignUpRequest.email": { format: "idn-email" },
  "StartPasswordResetRequest.email": { format: "idn-email" },
};

/**
 * Keywords of a request's field that `buf.validate` has no rules for: the implementation refuses what does not fit them. `scopes` are
 * those that a key can be given.
 */
export function requestKeywords(field: DescField, scopes: readonly string[]): JsonObject {
  const prefix = getOption(field, idPrefix);
  const name = `${field.parent.name}.${field.name}`;
  return {
    ...byField[name],
    ...(name === "ScopeSet.scopes" ? { enum: [...scopes] } : {}),
    ...(prefix === "" ? {} : { pattern: `^${prefix}_[0-9A-Za-z]+$` }),
    ...(field.message?.typeName === FieldMaskSchema.typeName ? maskKeywords(field) : {}),
  };
}

/** A mask names fields of the one message beside it. */
function maskKeywords(mask: DescField): JsonObject {
  const [changes] = mask.parent.fields.flatMap((field) => (field === mask ? [] : (field.message ?? [])));
  const name = `(${changes?.fields.map(({ name }) => name).join("|")})`;
  return { pattern: `^${name}(,${name})*$` };
}
