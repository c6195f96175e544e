import { create, type JsonObject, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { houseJson, type JsonStyle, protoJson } from "../../src/rest/json-style.ts";
import { EveryTypeSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { LegacySchema } from "./gen/everytype/v1/proto2_pb.ts";
import { jsonOptions, readText } from "./json-support.ts";

const house = jsonOptions(houseJson);
const proto = jsonOptions(protoJson);

/** Reads one field in house style, given as `"name":value`; the message's members. */
function readHouse(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, house);
}

function readProto(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, proto);
}

type Fields = MessageInitShape<typeof EveryTypeSchema>;

describe("house style reads", () => {
  const cases: [string, Fields][] = [
    ['"string_field":"x"', { stringField: "x" }],
    ['"string_field":""', { stringField: "" }],
    ['"string_field":"\\u00fc\\ud83d\\udcda"', { stringField: "ü📚" }],
    ['"string_field":"\\n\\t\\"\\\\"', { stringField: '\n\t"\\' }],
    ['"string_field":null', { stringField: "" }],
    ['"optional_string":null', {}],
    ['"optional_string":""', { optionalString: "" }],
    ['"bool_field":true', { boolField: true }],
    ['"bool_field":false', { boolField: false }],
    ['"bool_field":null', { boolField: false }],
    ['"optional_bool":false', { optionalBool: false }],
    ['"int32_field":0', { int32Field: 0 }],
    ['"int32_field":-0', { int32Field: 0 }],
    ['"int32_field":1.0', { int32Field: 1 }],
    ['"int32_field":1e2', { int32Field: 100 }],
    ['"int32_field":2147483647', { int32Field: 2147483647 }],
    ['"int32_field":-2147483648', { int32Field: -2147483648 }],
    ['"sint32_field":-5', { sint32Field: -5 }],
    ['"sfixed32_field":-5', { sfixed32Field: -5 }],
    ['"uint32_field":4294967295', { uint32Field: 4294967295 }],
    ['"fixed32_field":4294967295', { fixed32Field: 4294967295 }],
    ['"int64_field":"9223372036854775807"', { int64Field: 9223372036854775807n }],
    ['"int64_field":"-9223372036854775808"', { int64Field: -9223372036854775808n }],
    ['"int64_field":"007"', { int64Field: 7n }],
    ['"int64_field":9007199254740991', { int64Field: 9007199254740991n }],
    ['"int64_field":-9007199254740991', { int64Field: -9007199254740991n }],
    ['"int64_field":0', { int64Field: 0n }],
    ['"int64_field":"-0"', { int64Field: 0n }],
    ['"sint64_field":"-1"', { sint64Field: -1n }],
    ['"sfixed64_field":-1', { sfixed64Field: -1n }],
    ['"uint64_field":"18446744073709551615"', { uint64Field: 18446744073709551615n }],
    ['"fixed64_field":"18446744073709551615"', { fixed64Field: 18446744073709551615n }],
    ['"js_string":"12"', { jsString: "12" }],
    ['"js_string":12', { jsString: "12" }],
    ['"double_field":1.5', { doubleField: 1.5 }],
    ['"double_field":-0', { doubleField: -0 }],
    ['"double_field":1e308', { doubleField: 1e308 }],
    ['"double_field":5e-324', { doubleField: 5e-324 }],
    ['"double_field":"NaN"', { doubleField: Number.NaN }],
    ['"double_field":"Infinity"', { doubleField: Number.POSITIVE_INFINITY }],
    ['"double_field":"-Infinity"', { doubleField: Number.NEGATIVE_INFINITY }],
    ['"float_field":1.5', { floatField: 1.5 }],
    ['"float_field":0.1', { floatField: Math.fround(0.1) }],
    ['"float_field":3.4028234663852886e38', { floatField: 3.4028234663852886e38 }],
    ['"float_field":1e-60', { floatField: 0 }],
    ['"bytes_field":""', { bytesField: new Uint8Array() }],
    ['"bytes_field":"AQID"', { bytesField: new Uint8Array([1, 2, 3]) }],
    ['"bytes_field":"+/8="', { bytesField: new Uint8Array([251, 255]) }],
    ['"bytes_field":"-_8"', { bytesField: new Uint8Array([251, 255]) }],
    ['"bytes_field":"-_8="', { bytesField: new Uint8Array([251, 255]) }],
    ['"bytes_field":"AQ=="', { bytesField: new Uint8Array([1]) }],
    ['"bytes_field":"AQ"', { bytesField: new Uint8Array([1]) }],
    ['"color_field":"red"', { colorField: 1 }],
    ['"color_field":"deep_blue"', { colorField: 2 }],
    ['"color_field":"negative"', { colorField: -1 }],
    ['"color_field":null', { colorField: 0 }],
    ['"optional_color":null', {}],
    ['"inner_field":{}', { innerField: create(EveryTypeSchema, { innerField: {} }).innerField }],
    ['"inner_field":null', {}],
    ['"timestamp_field":null', {}],
    ['"string_list":["a","b"]', { stringList: ["a", "b"] }],
    ['"string_list":[]', { stringList: [] }],
    ['"string_list":null', { stringList: [] }],
    ['"color_items":["red","red"]', { colorItems: [1, 1] }],
    ['"int64_list":["1",2]', { int64List: [1n, 2n] }],
    ['"string_map":{"a":"b"}', { stringMap: { a: "b" } }],
    ['"string_map":{}', { stringMap: {} }],
    ['"string_map":null', { stringMap: {} }],
    ['"by_bool":{"true":"x","false":"y"}', { byBool: { true: "x", false: "y" } }],
    ['"by_int32":{"-1":"x","0":"y"}', { byInt32: { "-1": "x", 0: "y" } }],
    ['"by_uint32":{"4294967295":"x"}', { byUint32: { 4294967295: "x" } }],
    ['"by_int64":{"-9223372036854775808":"x"}', { byInt64: { "-9223372036854775808": "x" } }],
    ['"by_uint64":{"18446744073709551615":"x"}', { byUint64: { "18446744073709551615": "x" } }],
    ['"by_string":{"constructor":"x"}', { byString: { constructor: "x" } }],
    ['"color_map":{"a":"red"}', { colorMap: { a: 1 } }],
    ['"choice_string":"x"', { choice: { case: "choiceString", value: "x" } }],
    ['"choice_string":""', { choice: { case: "choiceString", value: "" } }],
    ['"choice_string":null', { choice: { case: undefined } }],
    ['"choice_string":null,"choice_bool":false', { choice: { case: "choiceBool", value: false } }],
    ['"choice_bool":false,"choice_string":null', { choice: { case: "choiceBool", value: false } }],
    ['"choice_int64":"5"', { choice: { case: "choiceInt64", value: 5n } }],
    ['"choice_null_value":null', { choice: { case: undefined } }],
    ['"choice_null_value":null,"choice_bool":true', { choice: { case: "choiceBool", value: true } }],
    ['"value_field":null', {}],
    ['"string_wrapper_field":"x"', { stringWrapperField: "x" }],
    ['"string_wrapper_field":""', { stringWrapperField: "" }],
    ['"string_wrapper_field":null', {}],
    ['"int64_wrapper_field":"7"', { int64WrapperField: 7n }],
    ['"bool_wrapper_field":false', { boolWrapperField: false }],
    ['"bytes_wrapper_field":"AQ=="', { bytesWrapperField: new Uint8Array([1]) }],
    ['"struct_field":{"a":[1,null,{"b":true}]}', { structField: { a: [1, null, { b: true }] } }],
    ['"struct_field":null', {}],
    ['"null_value_field":null', { nullValueField: 0 }],
    ['"renamed":"x"', { renamed: "x" }],
    ["", {}],
  ];
  test.each(cases)("%s", (member, expected) => {
    const { message, violations } = readHouse(member);
    expect(violations).toEqual([]);
    expect(message).toEqual(create(EveryTypeSchema, expected));
  });
});

describe("both styles read messages with a JSON form of their own", () => {
  const cases: [string, JsonObject][] = [
    ['"timestamp_field":"2026-06-15T09:42:00Z"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15t09:42:00z"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T11:42:00+02:00"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T00:12:00-09:30"', { timestampField: "2026-06-15T09:42:00Z" }],
    ['"timestamp_field":"2026-06-15T09:42:00.5Z"', { timestampField: "2026-06-15T09:42:00.500Z" }],
    ['"timestamp_field":"2026-06-15T09:42:00.123456789Z"', { timestampField: "2026-06-15T09:42:00.123456789Z" }],
    ['"timestamp_field":"1969-12-31T23:59:59.25Z"', { timestampField: "1969-12-31T23:59:59.250Z" }],
    ['"timestamp_field":"0001-01-01T00:00:00Z"', { timestampField: "0001-01-01T00:00:00Z" }],
    ['"timestamp_field":"9999-12-31T23:59:59.999999999Z"', { timestampField: "9999-12-31T23:59:59.999999999Z" }],
    ['"timestamp_field":"2024-02-29T00:00:00Z"', { timestampField: "2024-02-29T00:00:00Z" }],
    ['"timestamp_field":"0050-03-01T00:00:00Z"', { timestampField: "0050-03-01T00:00:00Z" }],
    ['"duration_field":"3s"', { durationField: "3s" }],
    ['"duration_field":"-3.5s"', { durationField: "-3.500s" }],
    ['"duration_field":"-0.5s"', { durationField: "-0.500s" }],
    ['"duration_field":"0s"', { durationField: "0s" }],
    ['"duration_field":"-0s"', { durationField: "0s" }],
    ['"duration_field":"0.000000001s"', { durationField: "0.000000001s" }],
    ['"duration_field":"315576000000s"', { durationField: "315576000000s" }],
    ['"value_field":[1,"a",{"b":null}]', { valueField: [1, "a", { b: null }] }],
    ['"value_field":false', { valueField: false }],
    ['"list_value_field":[1,[2]]', { listValueField: [1, [2]] }],
    ['"list_value_field":[]', { listValueField: [] }],
    ['"empty_field":{}', { emptyField: {} }],
    ['"any_field":{}', { anyField: {} }],
    [
      '"any_field":{"@type":"type.googleapis.com/everytype.v1.Inner","text":"x"}',
      { anyField: { "@type": "type.googleapis.com/everytype.v1.Inner", text: "x" } },
    ],
    [
      '"any_field":{"number":5,"@type":"example.com/deep/everytype.v1.Inner"}',
      { anyField: { "@type": "example.com/deep/everytype.v1.Inner", number: 5 } },
    ],
    [
      '"any_field":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}',
      { anyField: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" } },
    ],
    [
      '"any_field":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.protobuf.Int32Value","value":7}}',
      { anyField: { "@type": "x/google.protobuf.Any", value: { "@type": "x/google.protobuf.Int32Value", value: 7 } } },
    ],
    [
      '"any_field":{"@type":"x/google.protobuf.Value","value":null}',
      { anyField: { "@type": "x/google.protobuf.Value", value: null } },
    ],
    ['"string_wrapper_items":["a",""]', { stringWrapperItems: ["a", ""] }],
    ['"int64_wrapper_map":{"a":"5"}', { int64WrapperMap: { a: "5" } }],
    ['"choice_bool_wrapper":false', { choiceBoolWrapper: false }],
    ['"value_items":[null,1]', { valueItems: [null, 1] }],
    ['"value_map":{"a":null}', { valueMap: { a: null } }],
    ['"null_value_items":[null]', { nullValueItems: [null] }],
    ['"struct_items":[{"a":1}]', { structItems: [{ a: 1 }] }],
    ['"struct_map":{"k":{"a":{}}}', { structMap: { k: { a: {} } } }],
    ['"choice_struct":{"a":"b"}', { choiceStruct: { a: "b" } }],
    [
      '"every_type_field":{"every_type_field":{"int32_field":5}}',
      { everyTypeField: { everyTypeField: { int32Field: 5 } } },
    ],
  ];
  describe.each([
    ["house", house],
    ["proto", proto],
  ])("%s", (_, options) => {
    test.each(cases)("%s", (member, expected) => {
      const { message, violations } = readText(EveryTypeSchema, `{${member}}`, options);
      expect(violations).toEqual([]);
      expect(toJson(EveryTypeSchema, message, options)).toEqual(expected);
    });
  });

  test("field masks name fields as the style writes them", () => {
    expect(readHouse('"field_mask_field":"a_b,c.d_e"').message).toMatchObject({
      fieldMaskField: { paths: ["a_b", "c.d_e"] },
    });
    expect(readProto('"fieldMaskField":"aB,c.dE"').message).toMatchObject({
      fieldMaskField: { paths: ["a_b", "c.d_e"] },
    });
    expect(readHouse('"field_mask_field":""').message).toMatchObject({ fieldMaskField: { paths: [] } });
  });
});

describe("house style writes a message that only wraps a list as the list", () => {
  test.each([
    ['"list_of_names_field":["a","b"]', { listOfNamesField: { names: ["a", "b"] } }],
    ['"list_of_names_field":[]', { listOfNamesField: { names: [] } }],
    ['"list_of_names_field":null', {}],
    ['"list_of_names_items":[["a"],[]]', { listOfNamesItems: [{ names: ["a"] }, { names: [] }] }],
    ['"list_of_names_map":{"k":["a"]}', { listOfNamesMap: { k: { names: ["a"] } } }],
    ['"choice_list_of_names":["a"]', { choice: { case: "choiceListOfNames" as const, value: { names: ["a"] } } }],
    ['"matrix_field":[[1,2],[3]]', { matrixField: { rows: [{ cells: [1, 2] }, { cells: [3] }] } }],
  ])("%s", (member, expected) => {
    const { message, violations } = readHouse(member);
    expect(violations).toEqual([]);
    expect(message).toEqual(create(EveryTypeSchema, expected));
  });

  test("but not where it is the whole message", () => {
    const { message } = readText(EveryTypeSchema, '{"matrix_field":[]}', house);
    expect(message).toMatchObject({ matrixField: { rows: [] } });
    expect(readText(EveryTypeSchema, '{"list_of_names_field":{"names":[]}}', house).violations).toEqual([
      "list_of_names_field: must be a list",
    ]);
  });

  test("and ProtoJSON as an object", () => {
    expect(readProto('"listOfNamesField":{"names":["a"]}').message).toMatchObject({
      listOfNamesField: { names: ["a"] },
    });
    expect(readProto('"listOfNamesField":["a"]').violations).toEqual(["listOfNamesField: must be an object"]);
  });
});

const between = (min: number | bigint, max: number | bigint) => `must be between ${min} and ${max}`;
const int32 = between(-2147483648, 2147483647);
const uint32 = between(0, 4294967295);
const int64 = between(-9223372036854775808n, 9223372036854775807n);
const uint64 = between(0n, 18446744073709551615n);
const colors = "must be one of: red, deep_blue, negative";

describe("house style refuses", () => {
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
    ['"inner_field":{"other":5}', "inner_field.other: is not a known field"],
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
    ['"any_field":{"@type":"x/everytype.v1.Inner","value":{}}', "any_field.value: is not a known field"],
    ['"any_field":{"@type":"x/google.protobuf.Duration"}', "any_field.value: is required"],
    [
      '"any_field":{"@type":"x/google.protobuf.Duration","value":"1"}',
      'any_field.value: must be a duration in seconds, such as "3.5s"',
    ],
    ['"any_field":{"@type":"x/google.protobuf.Duration","value":"1s","z":1}', "any_field.z: is not a known field"],
    ['"any_field":{"@type":"x/everytype.v1.Legacy"}', "any_field: must have all required fields"],
    ['"string_wrapper_field":5', "string_wrapper_field: must be a string"],
    ['"int32_wrapper_field":"5"', "int32_wrapper_field: must be an integer"],
    ['"string_wrapper_items":[null]', "string_wrapper_items[0]: must be a string"],
    ['"null_value_field":1', "null_value_field: must be null"],
    ['"stringField":"x"', "stringField: is not a known field"],
    ['"theOtherName":"x"', "theOtherName: is not a known field"],
    ['"unknown":null', "unknown: is not a known field"],
    ['"__proto__":{"string_field":"x"}', "__proto__: is not a known field"],
    ['"constructor":1', "constructor: is not a known field"],
    ['"toString":1', "toString: is not a known field"],
    ['"$typeName":"x"', "$typeName: is not a known field"],
    ['"":1', ": is not a known field"],
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

describe("ProtoJSON reads", () => {
  const cases: [string, Fields][] = [
    ['"stringField":"x"', { stringField: "x" }],
    ['"string_field":"x"', { stringField: "x" }],
    ['"theOtherName":"x"', { renamed: "x" }],
    ['"renamed":"x"', { renamed: "x" }],
    ['"stringField":"\\u0000"', { stringField: "\0" }],
    ['"int32Field":"5"', { int32Field: 5 }],
    ['"int32Field":"1e2"', { int32Field: 100 }],
    ['"int32Field":"1.0"', { int32Field: 1 }],
    ['"uint32Field":"4294967295"', { uint32Field: 4294967295 }],
    ['"doubleField":"1.5"', { doubleField: 1.5 }],
    ['"doubleField":"-1.5e3"', { doubleField: -1500 }],
    ['"floatField":"1.5"', { floatField: 1.5 }],
    ['"colorField":"COLOR_RED"', { colorField: 1 }],
    ['"colorField":1', { colorField: 1 }],
    ['"colorField":"COLOR_UNSPECIFIED"', { colorField: 0 }],
    ['"nullValueField":"NULL_VALUE"', { nullValueField: 0 }],
    ['"nullValueField":null', { nullValueField: 0 }],
    ['"choiceNullValue":null', { choice: { case: "choiceNullValue", value: 0 } }],
    ['"valueField":null', { valueField: { kind: { case: "nullValue", value: 0 } } }],
    ['"choiceValue":null', { choice: { case: "choiceValue", value: { kind: { case: "nullValue", value: 0 } } } }],
    ['"timestampField":null', {}],
  ];
  test.each(cases)("%s", (member, expected) => {
    const { message, violations } = readProto(member);
    expect(violations).toEqual([]);
    expect(message).toEqual(create(EveryTypeSchema, expected));
  });

  test.each([
    ['"stringField":"a","string_field":"b"', "stringField: must be given once"],
    ['"stringField":null,"string_field":null', "stringField: must be given once"],
    ['"stringField":"\\ud800"', "stringField: must be valid Unicode text"],
    ['"int32Field":"0x10"', "int32Field: must be an integer"],
    ['"int32Field":" 5"', "int32Field: must be an integer"],
    ['"int32Field":"1.5"', "int32Field: must be an integer"],
    ['"int32Field":""', "int32Field: must be an integer"],
    ['"doubleField":"0x10"', "doubleField: must be a number"],
    ['"doubleField":".5"', "doubleField: must be a number"],
    ['"doubleField":"1e999"', "doubleField: must be between -1.7976931348623157e+308 and 1.7976931348623157e+308"],
    ['"colorField":"red"', "colorField: must be one of: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DEEP_BLUE, COLOR_NEGATIVE"],
    ['"colorField":1.5', "colorField: must be an integer"],
    ['"colorField":2147483648', `colorField: ${int32}`],
    ['"innerField":{"text":5}', "innerField.text: must be a string"],
    ['"fieldMaskField":"a_b"', "fieldMaskField: must be a comma-separated list of field paths"],
  ])("not %s", (member, violation) => {
    expect(readProto(member).violations).toEqual([violation]);
  });
});

test("an open enum keeps numbers that it does not name", () => {
  expect(readProto('"colorField":99')).toMatchObject({ message: { colorField: 99 }, violations: [] });
});

describe("proto2", () => {
  test.each<[string, JsonStyle, object]>([
    ['{"name":"x","size":"small"}', houseJson, { name: "x", size: 1 }],
    ['{"name":"x","detail":{"note":"n"}}', houseJson, { name: "x", detail: { note: "n" } }],
    ['{"name":"x","count":0}', houseJson, { name: "x", count: 0 }],
    ['{"name":"x","size":"SIZE_LARGE"}', protoJson, { name: "x", size: 2 }],
    ['{"name":"x","size":2}', protoJson, { name: "x", size: 2 }],
  ])("%s", (text, style, expected) => {
    const { message, violations } = readText(LegacySchema, text, jsonOptions(style));
    expect(violations).toEqual([]);
    expect(message).toMatchObject(expected);
  });

  test("a closed enum takes no number that it does not have", () => {
    expect(readText(LegacySchema, '{"size":3}', proto).violations).toEqual([
      "size: must be one of: SIZE_SMALL, SIZE_LARGE",
    ]);
  });

  test("unset fields keep their defaults", () => {
    const { message } = readText(LegacySchema, '{"name":"x","count":null}', house);
    expect(message).toMatchObject({ count: 7, size: 2 });
    expect(Object.hasOwn(message, "count")).toBe(false);
  });
});

test("all problems are reported together, one a field", () => {
  const text =
    '{"string_field":1,"nope":2,"inner_items":[{"text":1,"number":"x"},3],"int32_field":1,"int32_field":"x"}';
  expect(readText(EveryTypeSchema, text, house).violations).toEqual([
    "int32_field: must be given once",
    "string_field: must be a string",
    "nope: is not a known field",
    "inner_items[0].text: must be a string",
    "inner_items[0].number: must be an integer",
    "inner_items[1]: must be an object",
  ]);
});

test("what can be read is read, whatever is wrong beside it", () => {
  const { message } = readText(
    EveryTypeSchema,
    '{"string_field":"kept","int32_field":"x","string_list":["a",1,"b"]}',
    house,
  );
  expect(message).toMatchObject({ stringField: "kept", int32Field: 0, stringList: ["a", "b"] });
});

test("unknown fields are ignored if they are to be, at every level", () => {
  const text = '{"nope":1,"inner_field":{"nope":2,"text":"x"},"any_field":{"@type":"x/everytype.v1.Inner","nope":1}}';
  const { message, violations } = readText(EveryTypeSchema, text, jsonOptions(houseJson, true));
  expect(violations).toEqual([]);
  expect(message).toMatchObject({ innerField: { text: "x" } });
});

test("a map's key may be __proto__, and is a key like any other", () => {
  const { message, violations } = readText(EveryTypeSchema, '{"string_map":{"__proto__":"x"}}', house);
  expect(violations).toEqual([]);
  expect(Object.entries(message.stringMap)).toEqual([["__proto__", "x"]]);
  expect(Object.getPrototypeOf(message.stringMap)).toBe(Object.prototype);
});

test("a hundred violations are reported at most, with names that are cut", () => {
  const members = Array.from({ length: 500 }, (_, index) => `"${index}${"x".repeat(1000)}":1`);
  const { violations } = readText(EveryTypeSchema, `{${members.join()}}`, house);
  expect(violations).toHaveLength(100);
  expect(violations.every((violation) => violation.length < 100)).toBe(true);
});
