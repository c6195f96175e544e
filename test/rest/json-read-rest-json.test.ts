import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { EveryTypeSchema } from "./gen/everytype/v1/every_type_pb.ts";
import { jsonOptions, readText } from "./json-support.ts";

const restOptions = jsonOptions(restJson);
const proto = jsonOptions(protoJson);

/** Reads one field in restJson, given as `"name":value`; the message's members. */
function readHouse(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, restOptions);
}

function readProto(member: string): { message: unknown; violations: string[] } {
  return readText(EveryTypeSchema, `{${member}}`, proto);
}

type Fields = MessageInitShape<typeof EveryTypeSchema>;

describe("restJson reads", () => {
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

describe("restJson writes a message that only wraps a list as the list", () => {
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

  test("a list wrapper that is the whole message is an object", () => {
    const { message } = readText(EveryTypeSchema, '{"matrix_field":[]}', restOptions);
    expect(message).toMatchObject({ matrixField: { rows: [] } });
    expect(readText(EveryTypeSchema, '{"list_of_names_field":{"names":[]}}', restOptions).violations).toEqual([
      "list_of_names_field: must be a list",
    ]);
  });

  test("ProtoJSON writes a list wrapper as an object", () => {
    expect(readProto('"listOfNamesField":{"names":["a"]}').message).toMatchObject({
      listOfNamesField: { names: ["a"] },
    });
    expect(readProto('"listOfNamesField":["a"]').violations).toEqual(["listOfNamesField: must be an object"]);
  });
});
