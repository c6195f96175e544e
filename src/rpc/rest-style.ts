import { getOption, hasOption } from "@bufbuild/protobuf";
import { type JsonStyle, restJson } from "@byond/rest/json/json-style";
import { onceForEach } from "@byond/rest/once-for-each";
import { omit_unset as omitUnset, word } from "../../gen/byond/v1/access_pb.ts";

/** The JSON of the REST interface, with what the options `byond.v1.word` and `byond.v1.omit_unset` say of values and fields. */
export const restStyle: JsonStyle = {
  ...restJson,
  enumWord: onceForEach((value) => (hasOption(value, word) ? getOption(value, word) : undefined)),
  // The question whether a field has an option is cheap. Reading it is not, and few fields have this one.
  omitsUnset: (field) => hasOption(field, omitUnset) && getOption(field, omitUnset),
};
