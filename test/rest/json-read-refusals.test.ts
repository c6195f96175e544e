import { describe, expect, test } from "vitest";
import { restJson } from "../../src/rest/json/json-style.ts";
import { EveryTypeSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { jsonOptions, readText, unknownIn } from "./json-support.ts";

const restOptions = jsonOptions(restJson);

/** Reads one field in restJson, given as `"name":value`; the message's members. */
function readHouse(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, restOptions);
}

const between = (min: number | bigint, max: number | bigint) => `must be between ${min} and ${max}`;
const int32 = between(-2147483648, 2147483647);
const uint32 = between(0, 4294967295);
const int64 = between(-9223372036854775808n, 9223372036854775807n);
const uint64 = between(0n, 18446744073709551615n);
const unknown = unknownIn(EveryTypeSchema);
const colors = "must be one of: red, deep_blue, negative";

describe("restJson rejects", () => {
  test.each([
    ['"string_field":5', "string_field: must be a string"],
    ['"string_field":true', "string_field: must be a string"],
    ['"string_field":[]', "string_field: must be a string"],
    ['"string_field":{}', "string_field: must be a string"],
    ['"string_field":"\\u0000"', "string_field: must not contain the character U+0000"],
    ['"string_field":"a\\u0000b"', "string_field: must not contain the character U+0000"],
    ['"string_field":"\\ud800"', "string_field: must be valid Unicode text"],
    ['"string_field":"\\udc00\\ud800"', "string_field: must be valid Unicode text"],
    ['"bool_field":"true"', "bool_field: must be true or false"],
    ['"bool_field":1', "bool_field: must be true or false"],
    ['"bool_field":0', "bool_field: must be true or false"],
    ['"int32_field":"5"', "int32_field: must be an integer"],
    ['"int32_field":1.5', "int32_field: must be an integer"],
    ['"int32_field":true', "int32_field: must be an integer"],
    ['"int32_field":[]', "int32_field: must be an integer"],
    ['"int32_field":"NaN"', "int32_field: must be an integer"],
    ['"int32_field":2147483648', `int32_field: ${int32}`],
    ['"int32_field":-2147483649', `int32_field: ${int32}`],
    ['"int32_field":1e99', `int32_field: ${int32}`],
    ['"int32_field":1e999', `int32_field: ${int32}`],
    ['"sint32_field":2147483648', `sint32_field: ${int32}`],
    ['"sfixed32_field":2147483648', `sfixed32_field: ${int32}`],
    ['"uint32_field":-1', `uint32_field: ${uint32}`],
    ['"uint32_field":4294967296', `uint32_field: ${uint32}`],
    ['"fixed32_field":-1', `fixed32_field: ${uint32}`],
    ['"int64_field":"9223372036854775808"', `int64_field: ${int64}`],
    ['"int64_field":"-9223372036854775809"', `int64_field: ${int64}`],
    ['"int64_field":"99999999999999999999999999"', `int64_field: ${int64}`],
    ['"int64_field":1e999', `int64_field: ${int64}`],
    [
      '"int64_field":9007199254740993',
      "int64_field: must be a string of digits beyond 9007199254740991, where numbers lose precision",
    ],
    ['"int64_field":1.5', "int64_field: must be an integer"],
    ['"int64_field":"1.5"', "int64_field: must be an integer"],
    ['"int64_field":"1e3"', "int64_field: must be an integer"],
    ['"int64_field":""', "int64_field: must be an integer"],
    ['"int64_field":" 1"', "int64_field: must be an integer"],
    ['"int64_field":"+1"', "int64_field: must be an integer"],
    ['"int64_field":"0x10"', "int64_field: must be an integer"],
    ['"int64_field":true', "int64_field: must be an integer"],
    ['"uint64_field":"-1"', `uint64_field: ${uint64}`],
    ['"uint64_field":"18446744073709551616"', `uint64_field: ${uint64}`],
    ['"fixed64_field":-1', `fixed64_field: ${uint64}`],
    ['"double_field":"1.5"', "double_field: must be a number"],
    ['"double_field":"nan"', "double_field: must be a number"],
    ['"double_field":"+Infinity"', "double_field: must be a number"],
    ['"double_field":false', "double_field: must be a number"],
    ['"double_field":1e999', "double_field: must be between -1.7976931348623157e+308 and 1.7976931348623157e+308"],
    ['"float_field":3.5e38', "float_field: must be between -3.4028234663852886e+38 and 3.4028234663852886e+38"],
    ['"float_field":-1e39', "float_field: must be between -3.4028234663852886e+38 and 3.4028234663852886e+38"],
    ['"bytes_field":5', "bytes_field: must be a string"],
    ['"bytes_field":"A"', "bytes_field: must be base64"],
    ['"bytes_field":"AQI=="', "bytes_field: must be base64"],
    ['"bytes_field":"AQ="', "bytes_field: must be base64"],
    ['"bytes_field":"A=Q="', "bytes_field: must be base64"],
    ['"bytes_field":"===="', "bytes_field: must be base64"],
    ['"bytes_field":"A Q="', "bytes_field: must be base64"],
    ['"bytes_field":"AQID\\n"', "bytes_field: must be base64"],
    ['"bytes_field":"ü"', "bytes_field: must be base64"],
    ['"color_field":"green"', `color_field: ${colors}`],
    ['"color_field":"RED"', `color_field: ${colors}`],
    ['"color_field":"COLOR_RED"', `color_field: ${colors}`],
    ['"color_field":"unspecified"', `color_field: ${colors}`],
    ['"color_field":""', `color_field: ${colors}`],
    ['"color_field":1', `color_field: ${colors}`],
    ['"color_field":"__proto__"', `color_field: ${colors}`],
    ['"color_field":{}', `color_field: ${colors}`],
    ['"inner_field":"x"', "inner_field: must be an object"],
    ['"inner_field":[]', "inner_field: must be an object"],
    ['"inner_field":5', "inner_field: must be an object"],
    ['"inner_field":{"text":5}', "inner_field.text: must be a string"],
    ['"inner_field":{"other":5}', "inner_field.other: is not a known field; known are: text, number"],
    ['"every_type_field":{"inner_field":{"number":"x"}}', "every_type_field.inner_field.number: must be an integer"],
    ['"string_list":"a"', "string_list: must be a list"],
    ['"string_list":{}', "string_list: must be a list"],
    ['"string_list":["a",5]', "string_list[1]: must be a string"],
    ['"string_list":[null]', "string_list[0]: must be a string"],
    ['"inner_items":[{},{"text":1}]', "inner_items[1].text: must be a string"],
    ['"inner_items":[null]', "inner_items[0]: must be an object"],
    ['"color_items":[null]', `color_items[0]: ${colors}`],
    ['"list_of_names_field":["a",5]', "list_of_names_field[1]: must be a string"],
    ['"list_of_names_field":"a"', "list_of_names_field: must be a list"],
    ['"matrix_field":[[1],["x"]]', "matrix_field[1][0]: must be a number"],
    ['"string_map":[]', "string_map: must be an object"],
    ['"string_map":"x"', "string_map: must be an object"],
    ['"string_map":{"key":5}', "string_map.key: must be a string"],
    ['"string_map":{"key":null}', "string_map.key: must be a string"],
    ['"inner_map":{"key":{"number":1.5}}', "inner_map.key.number: must be an integer"],
    ['"by_int32":{"x":"a"}', "by_int32.x: has a key that must be an integer"],
    ['"by_int32":{"1.5":"a"}', "by_int32.1.5: has a key that must be an integer"],
    ['"by_int32":{"01":"a"}', "by_int32.01: has a key that must be an integer"],
    ['"by_int32":{"-0":"a"}', "by_int32.-0: has a key that must be an integer"],
    ['"by_int32":{"2147483648":"a"}', `by_int32.2147483648: has a key that ${int32}`],
    ['"by_uint64":{"-1":"a"}', `by_uint64.-1: has a key that ${uint64}`],
    ['"by_bool":{"True":"a"}', "by_bool.True: has a key that must be true or false"],
    ['"by_string":{"\\u0000":"a"}', "by_string.\0: has a key that must not contain the character U+0000"],
    ['"choice_bool":true,"choice_string":"x"', "choice_string: must not be given together with another of choice"],
    ['"choice_bool":1', "choice_bool: must be true or false"],
    ['"timestamp_field":5', "timestamp_field: must be a string"],
    ['"timestamp_field":""', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-06-15"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-06-15T09:42:00"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-06-15 09:42:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-02-30T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2025-02-29T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"1900-02-29T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-13-01T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-00-01T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-00T00:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-01T24:00:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-01T00:60:00Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2016-12-31T23:59:60Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-01T00:00:00+24:00"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-01T00:00:00.Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    ['"timestamp_field":"2026-01-01T00:00:00.1234567890Z"', "timestamp_field: must be an RFC 3339 timestamp"],
    [
      '"timestamp_field":"0000-12-31T23:59:59Z"',
      "timestamp_field: must be between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z",
    ],
    [
      '"timestamp_field":"9999-12-31T23:59:59-00:01"',
      "timestamp_field: must be between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z",
    ],
    ['"duration_field":5', "duration_field: must be a string"],
    ['"duration_field":"5"', 'duration_field: must be a duration in seconds, such as "3.5s"'],
    ['"duration_field":"5m"', 'duration_field: must be a duration in seconds, such as "3.5s"'],
    ['"duration_field":".5s"', 'duration_field: must be a duration in seconds, such as "3.5s"'],
    ['"duration_field":"5.s"', 'duration_field: must be a duration in seconds, such as "3.5s"'],
    ['"duration_field":"1.1234567890s"', 'duration_field: must be a duration in seconds, such as "3.5s"'],
    ['"duration_field":"315576000001s"', "duration_field: must be between -315576000000s and 315576000000s"],
    ['"duration_field":"-315576000000.1s"', "duration_field: must be between -315576000000s and 315576000000s"],
    ['"field_mask_field":["a"]', "field_mask_field: must be a string"],
    ['"field_mask_field":"a,,b"', "field_mask_field: must be a comma-separated list of field paths"],
    ['"field_mask_field":"a.,b"', "field_mask_field: must be a comma-separated list of field paths"],
    ['"field_mask_field":"*"', "field_mask_field: must be a comma-separated list of field paths"],
    ['"struct_field":[]', "struct_field: must be an object"],
    ['"struct_field":"x"', "struct_field: must be an object"],
    ['"struct_field":{"a":{"b":"\\u0000"}}', "struct_field.a.b: must not contain the character U+0000"],
    [
      '"struct_field":{"a":[1,1e999]}',
      "struct_field.a[1]: must be between -1.7976931348623157e+308 and 1.7976931348623157e+308",
    ],
    ['"struct_field":{"\\ud800":1}', "struct_field.\ufffd: has a key that must be valid Unicode text"],
    ['"value_field":["\\ud800"]', "value_field[0]: must be valid Unicode text"],
    ['"list_value_field":{}', "list_value_field: must be a list"],
    ['"empty_field":{"a":1}', "empty_field.a: is not a known field"],
    ['"any_field":5', "any_field: must be an object"],
    ['"any_field":{"text":"x"}', "any_field.@type: must be the URL of a known type"],
    ['"any_field":{"@type":5}', "any_field.@type: must be the URL of a known type"],
    ['"any_field":{"@type":"everytype.v1.Inner"}', "any_field.@type: must be the URL of a known type"],
    ['"any_field":{"@type":"x/no.Such"}', "any_field.@type: must be the URL of a known type"],
    ['"any_field":{"@type":"x/everytype.v1.Inner","text":5}', "any_field.text: must be a string"],
    [
      '"any_field":{"@type":"x/everytype.v1.Inner","value":{}}',
      "any_field.value: is not a known field; known are: text, number",
    ],
    ['"any_field":{"@type":"x/google.protobuf.Duration"}', "any_field.value: is required"],
    [
      '"any_field":{"@type":"x/google.protobuf.Duration","value":"1"}',
      'any_field.value: must be a duration in seconds, such as "3.5s"',
    ],
    [
      '"any_field":{"@type":"x/google.protobuf.Duration","value":"1s","z":1}',
      "any_field.z: is not a known field; known are: @type, value",
    ],
    ['"any_field":{"@type":"x/everytype.v1.Legacy"}', "any_field: must have all required fields"],
    ['"string_wrapper_field":5', "string_wrapper_field: must be a string"],
    ['"int32_wrapper_field":"5"', "int32_wrapper_field: must be an integer"],
    ['"string_wrapper_items":[null]', "string_wrapper_items[0]: must be a string"],
    ['"null_value_field":1', "null_value_field: must be null"],
    ['"stringField":"x"', `stringField: ${unknown}`],
    ['"theOtherName":"x"', `theOtherName: ${unknown}`],
    ['"unknown":null', `unknown: ${unknown}`],
    ['"__proto__":{"string_field":"x"}', `__proto__: ${unknown}`],
    ['"constructor":1', `constructor: ${unknown}`],
    ['"toString":1', `toString: ${unknown}`],
    ['"$typeName":"x"', `$typeName: ${unknown}`],
    ['"":1', `: ${unknown}`],
    ['"string_field":"a","string_field":"b"', "string_field: must be given once"],
    ['"string_field":"a","string\\u005ffield":"b"', "string_field: must be given once"],
    ['"inner_field":{"text":"a","text":"b"}', "inner_field.text: must be given once"],
    ['"inner_items":[{},{"text":"a","number":1,"text":"b"}]', "inner_items[1].text: must be given once"],
    ['"string_map":{"a":"1","a":"2"}', "string_map.a: must be given once"],
    ['"struct_field":{"a":[{"b":1,"b":1}]}', "struct_field.a[0].b: must be given once"],
    ['"__proto__":1,"__proto__":2', "__proto__: must be given once"],
  ])("%s", (member, violation) => {
    expect(readHouse(member).violations).toEqual([violation]);
  });
});

test("all violations are reported together, one for each field", () => {
  const text =
    '{"string_field":1,"nope":2,"inner_items":[{"text":1,"number":"x"},3],"int32_field":1,"int32_field":"x"}';
  expect(readText(EveryTypeSchema, text, restOptions).violations).toEqual([
    "int32_field: must be given once",
    "string_field: must be a string",
    `nope: ${unknown}`,
    "inner_items[0].text: must be a string",
    "inner_items[0].number: must be an integer",
    "inner_items[1]: must be an object",
  ]);
});

test("valid fields are read although others are invalid", () => {
  const { message } = readText(
    EveryTypeSchema,
    '{"string_field":"kept","int32_field":"x","string_list":["a",1,"b"]}',
    restOptions,
  );
  expect(message).toMatchObject({ stringField: "kept", int32Field: 0, stringList: ["a", "b"] });
});

test("at most twenty violations are listed, and long names are truncated", () => {
  const members = Array.from({ length: 500 }, (_, index) => `"${index}${"x".repeat(1000)}":1`);
  const { violations } = readText(EveryTypeSchema, `{${members.join()}}`, restOptions);
  expect(violations).toHaveLength(20);
  // The first also tells which fields there are.
  expect(violations.slice(1).every((violation) => violation.length < 100)).toBe(true);
});
