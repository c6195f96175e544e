import { type DescField, getOption, type JsonObject } from "@bufbuild/protobuf";
import { id_prefix as idPrefix } from "../../../../gen/byond/v1/access_pb.ts";
import { knownRegions } from "../../../text/numbering-plans.ts";

/** The characters of an address or a CIDR range. The description states the other rules. */
const addressOrRange = { pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" };

const countries = { enum: knownRegions().toSorted() };

const byField: Readonly<Record<string, JsonObject>> = {
  "IpAllowlist.ranges": addressOrRange,
  "BatchLookupRequest.country": countries,
  "LookupNumberRequest.country": countries,
};

/** JSON Schema keywords of a request's field that are not `buf.validate` rules; the implementation enforces them. */
export function requestKeywords(field: DescField): JsonObject {
  const prefix = getOption(field, idPrefix);
  const name = `${field.parent.name}.${field.name}`;
  return {
    ...byField[name],
    ...(prefix === "" ? {} : { pattern: `^${prefix}_[0-9A-Za-z]+$` }),
  };
}
