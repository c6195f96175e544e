import { getOption, hasOption } from "@bufbuild/protobuf";
import { type JsonStyle, restJson } from "@byond/rest/json/json-style";
import { word } from "../../gen/byond/v1/access_pb.ts";

/** The JSON of the REST interface: the words of enum values are those of the option `byond.v1.word`, where there is one. */
export const restStyle: JsonStyle = {
  ...restJson,
  enumWord: (value) => (hasOption(value, word) ? getOption(value, word) : undefined),
};
