import { type DescField, getOption, type JsonObject } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { getCountries } from "libphonenumber-js/max";
import { id_prefix as idPrefix } from "../../../../gen/byond/v1/access_pb.ts";

/** The characters of an address or a CIDR range. The description states the other rules. */
const addressOrRange = { pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" };

const byField: Readonly<Record<string, JsonObject>> = {
  "IpAllowlist.ranges": addressOrRange,
  "LookupNumberRequest.country": { enum: getCountries().toSorted() },
  "SignUpRequest.email": { format: "idn-email" },
  "StartPasswordResetRequest.email": { format: "idn-email" },
};

/**
 * JSON Schema keywords of a request's field that are not `buf.validate` rules; the implementation enforces them. `scopes` are the
 * scopes that a key can have.
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

/** A mask names fields of the other message in the request. */
function maskKeywords(mask: DescField): JsonObject {
  const [changes] = mask.parent.fields.flatMap((field) => (field === mask ? [] : (field.message ?? [])));
  const name = `(${changes?.fields.map(({ name }) => name).join("|")})`;
  return { pattern: `^${name}(,${name})*$` };
}
